-- AlterEnum
ALTER TYPE "JobKind" ADD VALUE 'SWEEP';

-- AlterTable
ALTER TABLE "Job" ADD COLUMN     "sweepId" TEXT;

-- CreateIndex
CREATE INDEX "Job_sweepId_idx" ON "Job"("sweepId");

-- AddForeignKey
ALTER TABLE "Job" ADD CONSTRAINT "Job_sweepId_fkey" FOREIGN KEY ("sweepId") REFERENCES "Job"("id") ON DELETE CASCADE ON UPDATE CASCADE;
