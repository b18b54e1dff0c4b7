-- AlterEnum
ALTER TYPE "JobKind" ADD VALUE 'PHANTOM';

-- AlterTable
ALTER TABLE "Run" ADD COLUMN     "stepsPerEpoch" INTEGER;
