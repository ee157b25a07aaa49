/** The shape of `JobFilter` of the API. An omitted member sets no condition. */

import type { ExactValue } from '../json/value.ts';

export const STATUSES = ['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED', 'DEAD_LETTER'] as const;
export const VERDICTS = ['OK', 'LATE', 'STUCK', 'SLOW', 'FLAPPING', 'UNKNOWN'] as const;
export type JobStatus = (typeof STATUSES)[number];
export type HealthVerdict = (typeof VERDICTS)[number];
/** The fields whose values `Query.suggest` completes. */
export type SuggestField = 'TYPE' | 'QUEUE' | 'REQUESTED_BY' | 'LAST_ERROR_CODE' | 'BATCH' | 'WORKER';

type Given<T> = T | null | undefined;

export interface StringFilter {
  eq?: Given<string>;
  in?: Given<string[]>;
  notIn?: Given<string[]>;
  startsWith?: Given<string>;
  contains?: Given<string>;
  containsIgnoreCase?: Given<string>;
  isNull?: Given<boolean>;
}

export interface IntFilter {
  eq?: Given<number>;
  in?: Given<number[]>;
  gte?: Given<number>;
  lte?: Given<number>;
}

export interface FloatFilter {
  gte?: Given<number>;
  lt?: Given<number>;
}

export interface DateTimeFilter {
  gte?: Given<string>;
  lt?: Given<string>;
  isNull?: Given<boolean>;
}

export type TextField =
  | 'type'
  | 'queue'
  | 'requestedBy'
  | 'idempotencyKey'
  | 'lastErrorCode'
  | 'lastErrorMessage'
  | 'worker'
  | 'batch'
  | 'externalId';
export type IntegerField = 'priority' | 'attempt';
export type TimeField = 'createdAt' | 'updatedAt' | 'scheduledAt' | 'startedAt' | 'finishedAt';
export type SecondsField = 'waitSeconds' | 'runSeconds';
export type LongerField = 'waitingLongerThan' | 'runningLongerThan';
export type IdField = 'errorGroup' | 'source' | 'parentId';

export interface JobFilter
  extends Partial<Record<TextField, Given<StringFilter>>>,
    Partial<Record<IntegerField, Given<IntFilter>>>,
    Partial<Record<TimeField, Given<DateTimeFilter>>>,
    Partial<Record<SecondsField, Given<FloatFilter>>>,
    Partial<Record<LongerField, Given<number>>>,
    Partial<Record<IdField, Given<string>>> {
  ids?: Given<string[]>;
  health?: Given<HealthVerdict[]>;
  status?: Given<JobStatus[]>;
  tags?: Given<string[]>;
  search?: Given<string>;
  payloadContains?: ExactValue | undefined;
  and?: Given<JobFilter[]>;
  or?: Given<JobFilter[]>;
  not?: Given<JobFilter>;
}
