-- AlterTable
ALTER TABLE "Evaluation" ADD COLUMN     "excludedPatients" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "LocalizationPoint" ADD COLUMN     "falsePositives" DOUBLE PRECISION,
ADD COLUMN     "iobbAccuracy" DOUBLE PRECISION,
ADD COLUMN     "iobbFalsePositives" DOUBLE PRECISION,
ADD COLUMN     "iobbHigh" DOUBLE PRECISION,
ADD COLUMN     "iobbLow" DOUBLE PRECISION;
