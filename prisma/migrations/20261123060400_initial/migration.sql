-- CreateEnum
CREATE TYPE "RunState" AS ENUM ('TRAINING', 'FINISHED', 'FAILED', 'CANCELLED');

-- CreateEnum
CREATE TYPE "CurveKind" AS ENUM ('RUN', 'RANDOM', 'CENTRE', 'BEST_REACHABLE', 'REFERENCE');

-- CreateEnum
CREATE TYPE "JobKind" AS ENUM ('TRAIN', 'EVALUATE', 'EXPLAIN');

-- CreateEnum
CREATE TYPE "JobState" AS ENUM ('QUEUED', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED');

-- CreateTable
CREATE TABLE "DataSet" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "path" TEXT NOT NULL,
    "size" INTEGER NOT NULL,
    "synthetic" BOOLEAN NOT NULL,
    "datasetHash" TEXT NOT NULL,
    "splitHash" TEXT NOT NULL,
    "preprocessingVersion" TEXT NOT NULL,
    "trainImages" INTEGER NOT NULL,
    "validationImages" INTEGER NOT NULL,
    "testImages" INTEGER NOT NULL,
    "boxedPairs" INTEGER NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "DataSet_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Run" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "method" TEXT NOT NULL,
    "preset" TEXT NOT NULL,
    "state" "RunState" NOT NULL,
    "seed" INTEGER NOT NULL,
    "epsilon" DOUBLE PRECISION,
    "options" JSONB NOT NULL,
    "codeVersion" TEXT NOT NULL DEFAULT '',
    "engine" TEXT NOT NULL DEFAULT '',
    "path" TEXT NOT NULL,
    "weightsSha256" TEXT,
    "cardSha256" TEXT,
    "card" JSONB,
    "bestEpoch" INTEGER,
    "active" BOOLEAN NOT NULL DEFAULT false,
    "error" TEXT,
    "datasetHash" TEXT,
    "dataSetId" TEXT,
    "parentId" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finishedAt" TIMESTAMPTZ(3),

    CONSTRAINT "Run_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Epoch" (
    "runId" TEXT NOT NULL,
    "epoch" INTEGER NOT NULL,
    "trainLoss" DOUBLE PRECISION NOT NULL,
    "validationLoss" DOUBLE PRECISION NOT NULL,
    "perturbedValidationLoss" DOUBLE PRECISION,
    "validationAuc" DOUBLE PRECISION,
    "seconds" DOUBLE PRECISION NOT NULL,

    CONSTRAINT "Epoch_pkey" PRIMARY KEY ("runId","epoch")
);

-- CreateTable
CREATE TABLE "Evaluation" (
    "id" TEXT NOT NULL,
    "runId" TEXT NOT NULL,
    "dataSetId" TEXT,
    "datasetHash" TEXT NOT NULL,
    "protocol" TEXT NOT NULL,
    "protocolDescription" TEXT NOT NULL,
    "weightsSha256" TEXT NOT NULL,
    "seed" INTEGER NOT NULL,
    "images" INTEGER NOT NULL,
    "meanAuc" DOUBLE PRECISION,
    "meanAucLow" DOUBLE PRECISION,
    "meanAucHigh" DOUBLE PRECISION,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Evaluation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "AucResult" (
    "evaluationId" TEXT NOT NULL,
    "finding" TEXT NOT NULL,
    "auc" DOUBLE PRECISION,
    "low" DOUBLE PRECISION,
    "high" DOUBLE PRECISION,
    "variance" DOUBLE PRECISION,
    "bootstrapLow" DOUBLE PRECISION,
    "bootstrapHigh" DOUBLE PRECISION,
    "positives" INTEGER NOT NULL,
    "negatives" INTEGER NOT NULL,
    "reason" TEXT,

    CONSTRAINT "AucResult_pkey" PRIMARY KEY ("evaluationId","finding")
);

-- CreateTable
CREATE TABLE "LocalizationCurve" (
    "id" TEXT NOT NULL,
    "evaluationId" TEXT NOT NULL,
    "finding" TEXT NOT NULL,
    "kind" "CurveKind" NOT NULL,
    "label" TEXT NOT NULL,
    "pairs" INTEGER NOT NULL,
    "threshold" DOUBLE PRECISION,
    "meanIou" DOUBLE PRECISION,
    "reason" TEXT,

    CONSTRAINT "LocalizationCurve_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "LocalizationPoint" (
    "curveId" TEXT NOT NULL,
    "iouThreshold" DOUBLE PRECISION NOT NULL,
    "accuracy" DOUBLE PRECISION,
    "low" DOUBLE PRECISION,
    "high" DOUBLE PRECISION,
    "sd" DOUBLE PRECISION,

    CONSTRAINT "LocalizationPoint_pkey" PRIMARY KEY ("curveId","iouThreshold")
);

-- CreateTable
CREATE TABLE "Study" (
    "id" TEXT NOT NULL,
    "studyInstanceUid" TEXT NOT NULL,
    "accessionNumber" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Study_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Image" (
    "id" TEXT NOT NULL,
    "studyId" TEXT NOT NULL,
    "sopInstanceUid" TEXT NOT NULL,
    "seriesInstanceUid" TEXT,
    "objectKey" TEXT NOT NULL,
    "format" TEXT NOT NULL,
    "width" INTEGER NOT NULL,
    "height" INTEGER NOT NULL,
    "fileName" TEXT,
    "view" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Image_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "KnownBox" (
    "imageId" TEXT NOT NULL,
    "finding" TEXT NOT NULL,
    "x" DOUBLE PRECISION NOT NULL,
    "y" DOUBLE PRECISION NOT NULL,
    "width" DOUBLE PRECISION NOT NULL,
    "height" DOUBLE PRECISION NOT NULL,

    CONSTRAINT "KnownBox_pkey" PRIMARY KEY ("imageId","finding")
);

-- CreateTable
CREATE TABLE "Explanation" (
    "id" TEXT NOT NULL,
    "imageId" TEXT NOT NULL,
    "runId" TEXT NOT NULL,
    "finding" TEXT NOT NULL,
    "logit" DOUBLE PRECISION NOT NULL,
    "probability" DOUBLE PRECISION,
    "probabilityReason" TEXT,
    "operatingPoint" DOUBLE PRECISION,
    "decision" BOOLEAN,
    "camThreshold" DOUBLE PRECISION,
    "camKey" TEXT NOT NULL,
    "camWidth" INTEGER NOT NULL,
    "camHeight" INTEGER NOT NULL,
    "camMin" DOUBLE PRECISION NOT NULL,
    "camMax" DOUBLE PRECISION NOT NULL,
    "saliencyKey" TEXT NOT NULL,
    "saliencyWidth" INTEGER NOT NULL,
    "saliencyHeight" INTEGER NOT NULL,
    "saliencyMin" DOUBLE PRECISION NOT NULL,
    "saliencyMax" DOUBLE PRECISION NOT NULL,
    "boxX" DOUBLE PRECISION,
    "boxY" DOUBLE PRECISION,
    "boxWidth" DOUBLE PRECISION,
    "boxHeight" DOUBLE PRECISION,
    "weightsSha256" TEXT NOT NULL,
    "cardSha256" TEXT NOT NULL,
    "preprocessingVersion" TEXT NOT NULL,
    "codeVersion" TEXT NOT NULL,
    "datasetHash" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Explanation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Job" (
    "id" TEXT NOT NULL,
    "kind" "JobKind" NOT NULL,
    "state" "JobState" NOT NULL DEFAULT 'QUEUED',
    "input" JSONB NOT NULL,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "progressWhat" TEXT,
    "progressDone" INTEGER,
    "progressTotal" INTEGER,
    "errorCode" TEXT,
    "errorMessage" TEXT,
    "runId" TEXT,
    "imageId" TEXT,
    "dataSetId" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "startedAt" TIMESTAMPTZ(3),
    "finishedAt" TIMESTAMPTZ(3),

    CONSTRAINT "Job_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "JobEvent" (
    "id" SERIAL NOT NULL,
    "jobId" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "message" TEXT NOT NULL,

    CONSTRAINT "JobEvent_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "DataSet_datasetHash_key" ON "DataSet"("datasetHash");

-- CreateIndex
CREATE INDEX "Run_createdAt_id_idx" ON "Run"("createdAt" DESC, "id");

-- CreateIndex
CREATE INDEX "Run_dataSetId_idx" ON "Run"("dataSetId");

-- CreateIndex
CREATE INDEX "Run_parentId_idx" ON "Run"("parentId");

-- CreateIndex
CREATE INDEX "Evaluation_dataSetId_idx" ON "Evaluation"("dataSetId");

-- CreateIndex
CREATE UNIQUE INDEX "Evaluation_runId_datasetHash_protocol_key" ON "Evaluation"("runId", "datasetHash", "protocol");

-- CreateIndex
CREATE UNIQUE INDEX "LocalizationCurve_evaluationId_finding_kind_key" ON "LocalizationCurve"("evaluationId", "finding", "kind");

-- CreateIndex
CREATE UNIQUE INDEX "Study_studyInstanceUid_key" ON "Study"("studyInstanceUid");

-- CreateIndex
CREATE INDEX "Study_accessionNumber_idx" ON "Study"("accessionNumber");

-- CreateIndex
CREATE INDEX "Study_createdAt_id_idx" ON "Study"("createdAt" DESC, "id");

-- CreateIndex
CREATE UNIQUE INDEX "Image_sopInstanceUid_key" ON "Image"("sopInstanceUid");

-- CreateIndex
CREATE INDEX "Image_studyId_idx" ON "Image"("studyId");

-- CreateIndex
CREATE INDEX "Image_objectKey_idx" ON "Image"("objectKey");

-- CreateIndex
CREATE INDEX "Explanation_runId_idx" ON "Explanation"("runId");

-- CreateIndex
CREATE INDEX "Explanation_camKey_idx" ON "Explanation"("camKey");

-- CreateIndex
CREATE INDEX "Explanation_saliencyKey_idx" ON "Explanation"("saliencyKey");

-- CreateIndex
CREATE UNIQUE INDEX "Explanation_imageId_runId_finding_key" ON "Explanation"("imageId", "runId", "finding");

-- CreateIndex
CREATE INDEX "Job_createdAt_id_idx" ON "Job"("createdAt" DESC, "id");

-- CreateIndex
CREATE INDEX "Job_runId_idx" ON "Job"("runId");

-- CreateIndex
CREATE INDEX "Job_imageId_idx" ON "Job"("imageId");

-- CreateIndex
CREATE INDEX "Job_dataSetId_idx" ON "Job"("dataSetId");

-- CreateIndex
CREATE INDEX "JobEvent_jobId_id_idx" ON "JobEvent"("jobId", "id");

-- AddForeignKey
ALTER TABLE "Run" ADD CONSTRAINT "Run_dataSetId_fkey" FOREIGN KEY ("dataSetId") REFERENCES "DataSet"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Run" ADD CONSTRAINT "Run_parentId_fkey" FOREIGN KEY ("parentId") REFERENCES "Run"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Epoch" ADD CONSTRAINT "Epoch_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Evaluation" ADD CONSTRAINT "Evaluation_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Evaluation" ADD CONSTRAINT "Evaluation_dataSetId_fkey" FOREIGN KEY ("dataSetId") REFERENCES "DataSet"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "AucResult" ADD CONSTRAINT "AucResult_evaluationId_fkey" FOREIGN KEY ("evaluationId") REFERENCES "Evaluation"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "LocalizationCurve" ADD CONSTRAINT "LocalizationCurve_evaluationId_fkey" FOREIGN KEY ("evaluationId") REFERENCES "Evaluation"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "LocalizationPoint" ADD CONSTRAINT "LocalizationPoint_curveId_fkey" FOREIGN KEY ("curveId") REFERENCES "LocalizationCurve"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Image" ADD CONSTRAINT "Image_studyId_fkey" FOREIGN KEY ("studyId") REFERENCES "Study"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "KnownBox" ADD CONSTRAINT "KnownBox_imageId_fkey" FOREIGN KEY ("imageId") REFERENCES "Image"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Explanation" ADD CONSTRAINT "Explanation_imageId_fkey" FOREIGN KEY ("imageId") REFERENCES "Image"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Explanation" ADD CONSTRAINT "Explanation_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Job" ADD CONSTRAINT "Job_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Job" ADD CONSTRAINT "Job_imageId_fkey" FOREIGN KEY ("imageId") REFERENCES "Image"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Job" ADD CONSTRAINT "Job_dataSetId_fkey" FOREIGN KEY ("dataSetId") REFERENCES "DataSet"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "JobEvent" ADD CONSTRAINT "JobEvent_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "Job"("id") ON DELETE CASCADE ON UPDATE CASCADE;
