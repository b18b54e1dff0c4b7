-- AlterTable
ALTER TABLE "Explanation" ADD COLUMN     "bits" INTEGER,
ADD COLUMN     "bitsSource" TEXT;
