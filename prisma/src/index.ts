export type {
  AucResult,
  DataSet,
  Epoch,
  Evaluation,
  Explanation,
  Image,
  Job,
  JobEvent,
  KnownBox,
  LocalizationCurve,
  LocalizationPoint,
  Prisma,
  PrismaClient,
  Run,
  Study,
} from '../generated/client/client.ts';
export { CurveKind, JobKind, JobState, RunState } from '../generated/client/enums.ts';
export { type default as PrismaTypes, getDatamodel } from '../generated/pothos.ts';
export { type BackupResult, backup } from './backup/backup.ts';
export { type RestoreResult, restore } from './backup/restore.ts';
export { createPrisma, directUrl } from './client.ts';
export { type DatabaseInfo, databaseInfo, embeddedFolder, ensureDatabase, releaseDatabase } from './database.ts';
export { type CxrEvent, subscribeEvents } from './events.ts';
export { readJobInput } from './jobs/enqueue.ts';
export { activeRunIds, explainMissing, retryFailedExplanations } from './jobs/explanations.ts';
export { JOB_NAMES, type JobInput, type JobName, type JobRequest } from './jobs/inputs.ts';
export { createJobs, isResumable, type JobAttempt, type JobHandlers, type Jobs, type JobsOptions } from './jobs/jobs.ts';
export { migrate } from './migrate.ts';
export { ownObjects, shareObjects } from './objects/lock.ts';
export { findUnused, sweepObjects, type UnusedObjects } from './objects/sweep.ts';
export { deleteUnused } from './objects/unused.ts';
export { type DamagedObjects, verifyObjects } from './objects/verify.ts';
export { asUnavailable, isDatabaseAway, patiently } from './patience.ts';
export { registerDataSet } from './register/data-set.ts';
export { lockActiveRun, registerRun, writeRunRows } from './register/run.ts';
export { type TestDatabase, testDatabase } from './testing.ts';
