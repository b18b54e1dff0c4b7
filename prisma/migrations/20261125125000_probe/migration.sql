-- AlterTable
ALTER TABLE "Epoch" ADD COLUMN     "probe" JSONB;
