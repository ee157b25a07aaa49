/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** Conditions on a time, combined with AND. */
export type DateTimeFilter = {
  /** At or after this time. */
  gte?: string | null | undefined;
  /** True: null. False: not null. */
  isNull?: boolean | null | undefined;
  /** Before this time. */
  lt?: string | null | undefined;
};

/** The order of error groups; each begins with the largest. */
export type ErrorGroupOrder =
  /** How many runs ended with such an error. */
  | 'COUNT'
  /** When the first such error happened. */
  | 'FIRST_SEEN'
  /** When the last such error happened. */
  | 'LAST_SEEN';

/** Conditions on a number, combined with AND. */
export type FloatFilter = {
  /** Greater than or equal to this value. */
  gte?: number | null | undefined;
  /** Less than this value. */
  lt?: number | null | undefined;
};

/** How a job that is under way does, beside what is usual for its type. The first of STUCK, LATE, FLAPPING and SLOW that holds counts. */
export type HealthVerdict =
  /** QUEUED or RUNNING again after an error, and started at least three times. */
  | 'FLAPPING'
  /** QUEUED, and due for more than a minute and more than twice as long as 95 of 100 jobs of its type wait. */
  | 'LATE'
  /** None of the others holds, or the job has ended. */
  | 'OK'
  /** RUNNING for more than 10 seconds and longer than 95 of 100 runs of its type take. */
  | 'SLOW'
  /** RUNNING for more than a minute and three times as long as 95 of 100 runs of its type take, and without an event for more than a minute and that long. */
  | 'STUCK'
  /** Its type has had fewer than 20 waits (of a QUEUED job) or runs (of a RUNNING one) in the last days. */
  | 'UNKNOWN';

/** Conditions on an integer, combined with AND. */
export type IntFilter = {
  /** Equal to this value. */
  eq?: number | null | undefined;
  /** Greater than or equal to this value. */
  gte?: number | null | undefined;
  /** One of these values; an empty list matches nothing. */
  in?: Array<number> | null | undefined;
  /** Less than or equal to this value. */
  lte?: number | null | undefined;
};

/** The fields that jobs can be grouped by. */
export type JobDimension =
  /** The name of the batch of the job. */
  | 'BATCH'
  /** The group of the last error of the job. */
  | 'ERROR_GROUP'
  /** The last error code of the job. */
  | 'LAST_ERROR_CODE'
  /** The priority of the job. */
  | 'PRIORITY'
  /** The queue of the job. */
  | 'QUEUE'
  /** The requester of the job. */
  | 'REQUESTED_BY'
  /** The status of the job. */
  | 'STATUS'
  /** The type of the job. */
  | 'TYPE'
  /** The worker that runs the job, or ran it last. */
  | 'WORKER';

/** Conditions on events, combined with AND; one that is omitted or null is ignored. */
export type JobEventFilter = {
  /** The detail contains this value, as in `JobFilter.payloadContains`. */
  detailContains?: unknown;
  /** The event belongs to a job that matches this filter. */
  job?: JobFilter | null | undefined;
  /** The event belongs to one of these jobs; an empty list matches nothing. */
  jobIds?: Array<string> | null | undefined;
  /** The status after the event is one of these. */
  nextStatus?: Array<JobStatus> | null | undefined;
  /** The status before the event is one of these. */
  prevStatus?: Array<JobStatus> | null | undefined;
  /** When the event happened. */
  ts?: DateTimeFilter | null | undefined;
};

/** Conditions on jobs, combined with AND; one that is omitted or null is ignored. A job whose field is null matches only `isNull: true` and `notIn`. At most 500 filters can be combined, nested at most 50 deep. */
export type JobFilter = {
  /** Matches all of these filters. */
  and?: Array<JobFilter> | null | undefined;
  /** The number of times the job was started. */
  attempt?: IntFilter | null | undefined;
  /** The batch of the job. */
  batch?: StringFilter | null | undefined;
  /** When the job was created. */
  createdAt?: DateTimeFilter | null | undefined;
  /** The last error is of the group with this id. */
  errorGroup?: string | null | undefined;
  /** What the source calls the job. */
  externalId?: StringFilter | null | undefined;
  /** When the last run ended. */
  finishedAt?: DateTimeFilter | null | undefined;
  /** The verdict of `Job.health` is one of these; an empty list matches nothing. */
  health?: Array<HealthVerdict> | null | undefined;
  /** The idempotency key of the job. */
  idempotencyKey?: StringFilter | null | undefined;
  /** The id is one of these; an empty list matches nothing. */
  ids?: Array<string> | null | undefined;
  /** The code of the last error. */
  lastErrorCode?: StringFilter | null | undefined;
  /** The message of the last error. */
  lastErrorMessage?: StringFilter | null | undefined;
  /** Does not match this filter. */
  not?: JobFilter | null | undefined;
  /** Matches at least one of these filters; an empty list matches nothing. */
  or?: Array<JobFilter> | null | undefined;
  /** The job is a child of the job with this id. */
  parentId?: string | null | undefined;
  /** The payload contains this value, as PostgreSQL's jsonb containment (`@>`) defines it: an object has all given keys with values that contain the given ones, a list has all given items. */
  payloadContains?: unknown;
  /** The priority of the job. */
  priority?: IntFilter | null | undefined;
  /** The queue of the job. */
  queue?: StringFilter | null | undefined;
  /** The requester of the job. */
  requestedBy?: StringFilter | null | undefined;
  /** `Job.runSeconds` of jobs whose run has ended: they were started, and are terminal. */
  runSeconds?: FloatFilter | null | undefined;
  /** The job is RUNNING and started more than this number of seconds ago. */
  runningLongerThan?: number | null | undefined;
  /** The earliest time the job may be started. */
  scheduledAt?: DateTimeFilter | null | undefined;
  /** The type, requester, or last error code or message contains this text, ignoring case as `StringFilter.containsIgnoreCase` does; or the idempotency key begins with it, with the same case; or the id begins with it, if it has at least 8 characters. For viewers without the role ADMIN, the message is searched as it is shown. */
  search?: string | null | undefined;
  /** The job is of the source with this id. */
  source?: string | null | undefined;
  /** When the last run started. */
  startedAt?: DateTimeFilter | null | undefined;
  /** The status is one of these; an empty list matches nothing. */
  status?: Array<JobStatus> | null | undefined;
  /** The job has all of these tags; an empty list matches every job. */
  tags?: Array<string> | null | undefined;
  /** The type of the job. */
  type?: StringFilter | null | undefined;
  /** When the job last changed. */
  updatedAt?: DateTimeFilter | null | undefined;
  /** `Job.waitSeconds` of jobs whose wait has ended: they were started, and are not QUEUED. */
  waitSeconds?: FloatFilter | null | undefined;
  /** The job is QUEUED and has been due for more than this number of seconds. */
  waitingLongerThan?: number | null | undefined;
  /** The worker that runs the job, or ran it last. */
  worker?: StringFilter | null | undefined;
};

/** The sort order of a list of jobs. */
export type JobOrder = {
  /** The sort direction. */
  direction?: OrderDirection;
  /** The field to sort by. */
  field?: JobOrderField;
};

/** The fields that a list of jobs can be sorted by. Ties are broken by id. */
export type JobOrderField =
  /** The time the job was created. */
  | 'CREATED_AT'
  /** The time the last run ended. Unfinished jobs come first with DESC and last with ASC. */
  | 'FINISHED_AT'
  /** The priority of the job. */
  | 'PRIORITY'
  /** The earliest time the job may be started. Jobs without one come first with DESC and last with ASC. */
  | 'SCHEDULED_AT'
  /** The time the last run started. Jobs that were not started come first with DESC and last with ASC. */
  | 'STARTED_AT'
  /** The time the job last changed. */
  | 'UPDATED_AT';

/** The status of a job. */
export type JobStatus =
  /** It was canceled. */
  | 'CANCELED'
  /** It was dead-lettered: its last run failed and only an operator can retry it. */
  | 'DEAD_LETTER'
  /** Its last run failed. It can be retried, canceled or dead-lettered. */
  | 'FAILED'
  /** It waits for a worker or for its scheduled time. */
  | 'QUEUED'
  /** A worker is running it. */
  | 'RUNNING'
  /** Its last run succeeded. */
  | 'SUCCEEDED';

/** The sort direction of a list. */
export type OrderDirection =
  /** Ascending: the smallest or oldest first. */
  | 'ASC'
  /** Descending: the largest or newest first. */
  | 'DESC';

/** What a viewer may do. Each role includes the ones before it. */
export type Role =
  /** Also read values that are redacted for other roles. */
  | 'ADMIN'
  /** Cancel, retry, rerun and reschedule jobs. */
  | 'OPERATOR'
  /** Read jobs and events. */
  | 'VIEWER'
  /** Create jobs, change their status and record events. */
  | 'WRITER';

/** Why a bulk mutation skipped a job. */
export type SkipReason =
  /** It changed after `asOf`. */
  | 'CHANGED_SINCE'
  /** Another transaction was changing it, or had changed it just before. No dry run can tell this. */
  | 'CONCURRENT_CHANGE'
  /** It is of a source, and can be changed only there. */
  | 'READ_ONLY'
  /** Its status, or its number of runs, does not allow the change. */
  | 'STATUS';

/** Conditions on text, combined with AND. Comparisons are case-sensitive, but for `containsIgnoreCase`. */
export type StringFilter = {
  /** Contains this text, which has no wildcards. */
  contains?: string | null | undefined;
  /** Contains this text in upper or lower case, as the database's locale defines it. */
  containsIgnoreCase?: string | null | undefined;
  /** Equal to this value. */
  eq?: string | null | undefined;
  /** One of these values; an empty list matches nothing. */
  in?: Array<string> | null | undefined;
  /** True: null. False: not null. */
  isNull?: boolean | null | undefined;
  /** None of these values. Null matches. */
  notIn?: Array<string> | null | undefined;
  /** Starts with this text, which has no wildcards. */
  startsWith?: string | null | undefined;
};

/** The length of a timeline's buckets, which are aligned to UTC. */
export type TimeBucketSize =
  /** One day, from midnight. */
  | 'DAY'
  /** Five minutes. */
  | 'FIVE_MINUTES'
  /** One hour. */
  | 'HOUR'
  /** One minute. */
  | 'MINUTE'
  /** One week, from Monday. */
  | 'WEEK';

export type JobLiteFragment = { id: string, type: string, queue: string, status: JobStatus, priority: number, attempt: number, maxAttempts: number, createdAt: string, updatedAt: string, queuedAt: string, scheduledAt: string | null, startedAt: string | null, finishedAt: string | null, waitSeconds: number | null, runSeconds: number | null, worker: string | null, lastErrorCode: string | null, lastErrorMessage: string | null };

export type SuggestValuesQueryVariables = Exact<{
  field: JobDimension;
  prefix: string;
}>;


export type SuggestValuesQuery = { suggest: Array<{ value: string }> };

export type PulseSubscriptionVariables = Exact<{
  filter?: JobEventFilter | null | undefined;
  after?: string | null | undefined;
}>;


export type PulseSubscription = { jobEvents: { cursor: string, node: { id: string } } };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { viewer: { subject: string, roles: Array<Role> } };

export type ErrorsQueryVariables = Exact<{
  since?: string | null | undefined;
  filter?: JobFilter | null | undefined;
  orderBy: ErrorGroupOrder;
  first: number;
}>;


export type ErrorsQuery = { errorGroups: { count: { value: number, isExact: boolean }, nodes: Array<{ id: string, code: string | null, message: string | null, types: Array<string>, firstSeenAt: string, lastSeenAt: string, trend: Array<number>, count: { value: number, isExact: boolean } }>, pageInfo: { hasNextPage: boolean } }, server: { now: string } };

export type ErrorsLiveSubscriptionVariables = Exact<{
  after?: string | null | undefined;
}>;


export type ErrorsLiveSubscription = { errorGroupSeen: { cursor: string, node: { id: string } } };

export type ErrorGroupQueryVariables = Exact<{
  id: string;
  bucket: TimeBucketSize;
  buckets: number;
}>;


export type ErrorGroupQuery = { node:
    | { __typename: 'Batch' }
    | { __typename: 'ErrorGroup', id: string, code: string | null, message: string | null, types: Array<string>, firstSeenAt: string, lastSeenAt: string, trend: Array<number>, count: { value: number, isExact: boolean }, sample: { id: string, type: string, lastErrorMessage: string | null } | null }
    | { __typename: 'Job' }
    | { __typename: 'JobEvent' }
    | { __typename: 'Source' }
   | null, server: { now: string } };

export type ErrorGroupTypesQueryVariables = Exact<{
  id: string;
}>;


export type ErrorGroupTypesQuery = { jobGroups: Array<{ count: number, key: { type: string | null }, statusCounts: Array<{ status: JobStatus, count: { value: number, isExact: boolean } }> }> };

export type ErrorGroupJobsQueryVariables = Exact<{
  id: string;
}>;


export type ErrorGroupJobsQuery = { jobs: { count: { value: number, isExact: boolean }, nodes: Array<{ id: string, type: string, queue: string, status: JobStatus, priority: number, attempt: number, maxAttempts: number, createdAt: string, updatedAt: string, queuedAt: string, scheduledAt: string | null, startedAt: string | null, finishedAt: string | null, waitSeconds: number | null, runSeconds: number | null, worker: string | null, lastErrorCode: string | null, lastErrorMessage: string | null }> } };

export type RetryManyMutationVariables = Exact<{
  filter: JobFilter;
  limit: number;
  reason?: string | null | undefined;
  dryRun: boolean;
  asOf?: string | null | undefined;
}>;


export type RetryManyMutation = { retryJobs: { changed: number, skipped: number, matched: { value: number, isExact: boolean }, skips: Array<{ reason: SkipReason, status: JobStatus, count: number }>, samples: Array<{ id: string, type: string, status: JobStatus, createdAt: string }> } };

export type CancelManyMutationVariables = Exact<{
  filter: JobFilter;
  limit: number;
  reason?: string | null | undefined;
  dryRun: boolean;
  asOf?: string | null | undefined;
}>;


export type CancelManyMutation = { cancelJobs: { changed: number, skipped: number, matched: { value: number, isExact: boolean }, skips: Array<{ reason: SkipReason, status: JobStatus, count: number }>, samples: Array<{ id: string, type: string, status: JobStatus, createdAt: string }> } };

export type DeleteManyMutationVariables = Exact<{
  filter: JobFilter;
  limit: number;
  reason?: string | null | undefined;
  dryRun: boolean;
  asOf?: string | null | undefined;
}>;


export type DeleteManyMutation = { deleteJobs: { deleted: number, skipped: number, matched: { value: number, isExact: boolean }, skips: Array<{ reason: SkipReason, status: JobStatus, count: number }>, samples: Array<{ id: string, type: string, status: JobStatus, createdAt: string }> } };

export type BulkResultFragment = { changed: number, skipped: number, matched: { value: number, isExact: boolean }, skips: Array<{ reason: SkipReason, status: JobStatus, count: number }>, samples: Array<{ id: string, type: string, status: JobStatus, createdAt: string }> };

export type BulkSampleFragment = { id: string, type: string, status: JobStatus, createdAt: string };

export type JobsPageQueryVariables = Exact<{
  filter?: JobFilter | null | undefined;
  orderBy?: JobOrder | null | undefined;
  first: number;
  after?: string | null | undefined;
}>;


export type JobsPageQuery = { jobs: { nodes: Array<{ id: string, type: string, queue: string, status: JobStatus, priority: number, attempt: number, maxAttempts: number, createdAt: string, updatedAt: string, scheduledAt: string | null, startedAt: string | null, finishedAt: string | null, waitSeconds: number | null, runSeconds: number | null, lastErrorCode: string | null, lastErrorMessage: string | null, requestedBy: string | null, worker: string | null, tags: Array<string>, progress: { fraction: number, step: string | null } | null, health: { verdict: HealthVerdict } }>, pageInfo: { endCursor: string | null, hasNextPage: boolean } }, server: { now: string } };

export type JobRowFragment = { id: string, type: string, queue: string, status: JobStatus, priority: number, attempt: number, maxAttempts: number, createdAt: string, updatedAt: string, scheduledAt: string | null, startedAt: string | null, finishedAt: string | null, waitSeconds: number | null, runSeconds: number | null, lastErrorCode: string | null, lastErrorMessage: string | null, requestedBy: string | null, worker: string | null, tags: Array<string>, progress: { fraction: number, step: string | null } | null, health: { verdict: HealthVerdict } };

export type JobsCountQueryVariables = Exact<{
  filter?: JobFilter | null | undefined;
}>;


export type JobsCountQuery = { jobs: { count: { value: number, isExact: boolean } } };

export type JobsStatusFacetQueryVariables = Exact<{
  filter?: JobFilter | null | undefined;
}>;


export type JobsStatusFacetQuery = { statusCounts: Array<{ status: JobStatus, count: { value: number, isExact: boolean } }> };

export type JobsGroupFacetQueryVariables = Exact<{
  filter?: JobFilter | null | undefined;
  by: Array<JobDimension> | JobDimension;
}>;


export type JobsGroupFacetQuery = { jobGroups: Array<{ count: number, key: { type: string | null, queue: string | null, lastErrorCode: string | null } }> };

export type JobsHistogramQueryVariables = Exact<{
  filter?: JobFilter | null | undefined;
  from: string;
  until: string;
  bucket: TimeBucketSize;
}>;


export type JobsHistogramQuery = { timeline: Array<{ start: string, created: number }> };

export type JobsStillMatchingQueryVariables = Exact<{
  filter?: JobFilter | null | undefined;
}>;


export type JobsStillMatchingQuery = { jobs: { nodes: Array<{ id: string }> } };

export type JobsRowsQueryVariables = Exact<{
  ids: Array<string> | string;
}>;


export type JobsRowsQuery = { jobs: { nodes: Array<{ id: string, type: string, queue: string, status: JobStatus, priority: number, attempt: number, maxAttempts: number, createdAt: string, updatedAt: string, scheduledAt: string | null, startedAt: string | null, finishedAt: string | null, waitSeconds: number | null, runSeconds: number | null, lastErrorCode: string | null, lastErrorMessage: string | null, requestedBy: string | null, worker: string | null, tags: Array<string>, progress: { fraction: number, step: string | null } | null, health: { verdict: HealthVerdict } }> } };

export type JobsArrivingSubscriptionVariables = Exact<{
  filter?: JobFilter | null | undefined;
  after?: string | null | undefined;
}>;


export type JobsArrivingSubscription = { jobEvents: { cursor: string, node: { id: string, job: { id: string } } } };

export type JobsChangingSubscriptionVariables = Exact<{
  ids: Array<string> | string;
  after?: string | null | undefined;
}>;


export type JobsChangingSubscription = { jobEvents: { cursor: string, node: { id: string, job: { id: string, type: string, queue: string, status: JobStatus, priority: number, attempt: number, maxAttempts: number, createdAt: string, updatedAt: string, scheduledAt: string | null, startedAt: string | null, finishedAt: string | null, waitSeconds: number | null, runSeconds: number | null, lastErrorCode: string | null, lastErrorMessage: string | null, requestedBy: string | null, worker: string | null, tags: Array<string>, progress: { fraction: number, step: string | null } | null, health: { verdict: HealthVerdict } } } } };

export type OverviewStatusesQueryVariables = Exact<{ [key: string]: never; }>;


export type OverviewStatusesQuery = { statusCounts: Array<{ status: JobStatus, count: { value: number, isExact: boolean } }>, server: { now: string } };

export type OverviewStatusesLiveSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type OverviewStatusesLiveSubscription = { statusCounts: Array<{ status: JobStatus, count: { value: number, isExact: boolean } }> };

export type OverviewAttentionQueryVariables = Exact<{ [key: string]: never; }>;


export type OverviewAttentionQuery = { stuck: { count: { value: number, isExact: boolean }, nodes: Array<{ id: string, type: string, queue: string, updatedAt: string, health: { verdict: HealthVerdict, since: string | null } }> }, late: { count: { value: number, isExact: boolean }, nodes: Array<{ id: string, type: string, queue: string, updatedAt: string, health: { verdict: HealthVerdict, since: string | null } }> }, flapping: { count: { value: number, isExact: boolean }, nodes: Array<{ id: string, type: string, queue: string, updatedAt: string, health: { verdict: HealthVerdict, since: string | null } }> }, slow: { count: { value: number, isExact: boolean }, nodes: Array<{ id: string, type: string, queue: string, updatedAt: string, health: { verdict: HealthVerdict, since: string | null } }> } };

export type AttentionJobsFragment = { count: { value: number, isExact: boolean }, nodes: Array<{ id: string, type: string, queue: string, updatedAt: string, health: { verdict: HealthVerdict, since: string | null } }> };

export type OverviewThroughputQueryVariables = Exact<{
  from: string;
  until: string;
  bucket: TimeBucketSize;
  timeZone: string;
}>;


export type OverviewThroughputQuery = { timeline: Array<{ start: string, succeeded: number, failed: number, canceled: number, deadLettered: number }> };

export type OverviewErrorsQueryVariables = Exact<{
  since: string;
}>;


export type OverviewErrorsQuery = { errorGroups: { nodes: Array<{ id: string, code: string | null, message: string | null, types: Array<string>, firstSeenAt: string, lastSeenAt: string, trend: Array<number>, count: { value: number, isExact: boolean } }> } };

export type OverviewTypesQueryVariables = Exact<{
  since: string;
}>;


export type OverviewTypesQuery = { jobGroups: Array<{ count: number, key: { type: string | null }, statusCounts: Array<{ status: JobStatus, count: { value: number, isExact: boolean } }>, run: { count: number, p50: number | null, p95: number | null }, wait: { p95: number | null } }> };

export type OverviewQueuesQueryVariables = Exact<{ [key: string]: never; }>;


export type OverviewQueuesQuery = { queues: Array<{ name: string, latencySeconds: number | null, failed: number, drainEta: string | null, due: { value: number, isExact: boolean }, running: { value: number, isExact: boolean } }> };

export type OverviewEventsQueryVariables = Exact<{ [key: string]: never; }>;


export type OverviewEventsQuery = { jobEvents: { nodes: Array<{ id: string, ts: string, prevStatus: JobStatus | null, nextStatus: JobStatus, attempt: number, job: { id: string, type: string, queue: string } }> } };

export type OverviewEventsLiveSubscriptionVariables = Exact<{
  after?: string | null | undefined;
}>;


export type OverviewEventsLiveSubscription = { jobEvents: { cursor: string, node: { id: string, ts: string, prevStatus: JobStatus | null, nextStatus: JobStatus, attempt: number, job: { id: string, type: string, queue: string } } } };

export type LiveEventFragment = { id: string, ts: string, prevStatus: JobStatus | null, nextStatus: JobStatus, attempt: number, job: { id: string, type: string, queue: string } };

export type QueuesQueryVariables = Exact<{
  minutes: number;
}>;


export type QueuesQuery = { queues: Array<{ name: string, oldestDueAt: string | null, latencySeconds: number | null, started: number, succeeded: number, failed: number, drainEta: string | null, due: { value: number, isExact: boolean }, scheduled: { value: number, isExact: boolean }, running: { value: number, isExact: boolean }, wait: { p50: number | null, p95: number | null }, run: { p95: number | null } }>, server: { now: string } };

export type WorkersQueryVariables = Exact<{
  minutes: number;
}>;


export type WorkersQuery = { workers: Array<{ name: string, lastSeenAt: string, running: { value: number, isExact: boolean } }> };

export type QueueTimelineQueryVariables = Exact<{
  filter: JobFilter;
  from: string;
  until: string;
  bucket: TimeBucketSize;
  timeZone: string;
}>;


export type QueueTimelineQuery = { timeline: Array<{ start: string, succeeded: number, failed: number, canceled: number, deadLettered: number }> };

export type QueueNextQueryVariables = Exact<{
  due: JobFilter;
}>;


export type QueueNextQuery = { jobs: { nodes: Array<{ id: string, type: string, queue: string, status: JobStatus, priority: number, attempt: number, maxAttempts: number, createdAt: string, updatedAt: string, queuedAt: string, scheduledAt: string | null, startedAt: string | null, finishedAt: string | null, waitSeconds: number | null, runSeconds: number | null, worker: string | null, lastErrorCode: string | null, lastErrorMessage: string | null }>, pageInfo: { hasNextPage: boolean } } };

export type QueueOldestQueryVariables = Exact<{
  due: JobFilter;
  first: number;
}>;


export type QueueOldestQuery = { jobs: { nodes: Array<{ id: string, type: string, queue: string, status: JobStatus, priority: number, attempt: number, maxAttempts: number, createdAt: string, updatedAt: string, queuedAt: string, scheduledAt: string | null, startedAt: string | null, finishedAt: string | null, waitSeconds: number | null, runSeconds: number | null, worker: string | null, lastErrorCode: string | null, lastErrorMessage: string | null }> } };

export type QueueRunningQueryVariables = Exact<{
  queue: string;
}>;


export type QueueRunningQuery = { jobs: { count: { value: number, isExact: boolean }, nodes: Array<{ id: string, type: string, queue: string, status: JobStatus, priority: number, attempt: number, maxAttempts: number, createdAt: string, updatedAt: string, queuedAt: string, scheduledAt: string | null, startedAt: string | null, finishedAt: string | null, waitSeconds: number | null, runSeconds: number | null, worker: string | null, lastErrorCode: string | null, lastErrorMessage: string | null }> } };

export type QueueTypesQueryVariables = Exact<{
  queue: string;
}>;


export type QueueTypesQuery = { jobGroups: Array<{ count: number, key: { type: string | null }, statusCounts: Array<{ status: JobStatus, count: { value: number, isExact: boolean } }> }> };

export type QueueWorkersQueryVariables = Exact<{
  queue: string;
  since: string;
}>;


export type QueueWorkersQuery = { jobGroups: Array<{ count: number, key: { worker: string | null }, statusCounts: Array<{ status: JobStatus, count: { value: number, isExact: boolean } }>, run: { p50: number | null } }> };

export type SettingsViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type SettingsViewerQuery = { viewer: { orgId: string, orgName: string | null, subject: string, roles: Array<Role>, expiresAt: string | null }, server: { version: string, now: string } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const JobLiteFragmentDoc = new TypedDocumentString(`
    fragment JobLite on Job {
  id
  type
  queue
  status
  priority
  attempt
  maxAttempts
  createdAt
  updatedAt
  queuedAt
  scheduledAt
  startedAt
  finishedAt
  waitSeconds
  runSeconds
  worker
  lastErrorCode
  lastErrorMessage
}
    `, {"fragmentName":"JobLite"}) as unknown as TypedDocumentString<JobLiteFragment, unknown>;
export const BulkSampleFragmentDoc = new TypedDocumentString(`
    fragment BulkSample on Job {
  id
  type
  status
  createdAt
}
    `, {"fragmentName":"BulkSample"}) as unknown as TypedDocumentString<BulkSampleFragment, unknown>;
export const BulkResultFragmentDoc = new TypedDocumentString(`
    fragment BulkResult on BulkJobPayload {
  matched {
    value
    isExact
  }
  changed
  skipped
  skips {
    reason
    status
    count
  }
  samples {
    ...BulkSample
  }
}
    fragment BulkSample on Job {
  id
  type
  status
  createdAt
}`, {"fragmentName":"BulkResult"}) as unknown as TypedDocumentString<BulkResultFragment, unknown>;
export const JobRowFragmentDoc = new TypedDocumentString(`
    fragment JobRow on Job {
  id
  type
  queue
  status
  priority
  attempt
  maxAttempts
  createdAt
  updatedAt
  scheduledAt
  startedAt
  finishedAt
  waitSeconds
  runSeconds
  lastErrorCode
  lastErrorMessage
  requestedBy
  worker
  tags
  progress {
    fraction
    step
  }
  health {
    verdict
  }
}
    `, {"fragmentName":"JobRow"}) as unknown as TypedDocumentString<JobRowFragment, unknown>;
export const AttentionJobsFragmentDoc = new TypedDocumentString(`
    fragment AttentionJobs on JobConnection {
  count(atMost: 100) {
    value
    isExact
  }
  nodes {
    id
    type
    queue
    health {
      verdict
      since
    }
    updatedAt
  }
}
    `, {"fragmentName":"AttentionJobs"}) as unknown as TypedDocumentString<AttentionJobsFragment, unknown>;
export const LiveEventFragmentDoc = new TypedDocumentString(`
    fragment LiveEvent on JobEvent {
  id
  ts
  prevStatus
  nextStatus
  attempt
  job {
    id
    type
    queue
  }
}
    `, {"fragmentName":"LiveEvent"}) as unknown as TypedDocumentString<LiveEventFragment, unknown>;
export const SuggestValuesDocument = new TypedDocumentString(`
    query SuggestValues($field: JobDimension!, $prefix: String!) {
  suggest(field: $field, prefix: $prefix, first: 20) {
    value
  }
}
    `, {"hash":"sha256:9f4987f8e85575853c9a15a95cc6a68686b03d4dbcd14d098a9b483c99d25e86"}) as unknown as TypedDocumentString<SuggestValuesQuery, SuggestValuesQueryVariables>;
export const PulseDocument = new TypedDocumentString(`
    subscription Pulse($filter: JobEventFilter, $after: String) {
  jobEvents(filter: $filter, after: $after) {
    cursor
    node {
      id
    }
  }
}
    `, {"hash":"sha256:08a33165388f427d1642441c860e5f6fcb2aa926e3790013906ec2eb032a37b9"}) as unknown as TypedDocumentString<PulseSubscription, PulseSubscriptionVariables>;
export const ViewerDocument = new TypedDocumentString(`
    query Viewer {
  viewer {
    subject
    roles
  }
}
    `, {"hash":"sha256:97b35703b161339ff931b3a8fbe48bf8e3a4ab2d19d508332e227588238e8b5e"}) as unknown as TypedDocumentString<ViewerQuery, ViewerQueryVariables>;
export const ErrorsDocument = new TypedDocumentString(`
    query Errors($since: DateTime, $filter: JobFilter, $orderBy: ErrorGroupOrder!, $first: Int!) {
  errorGroups(since: $since, filter: $filter, orderBy: $orderBy, first: $first) {
    count(atMost: 1000) {
      value
      isExact
    }
    nodes {
      id
      code
      message
      types
      firstSeenAt
      lastSeenAt
      count {
        value
        isExact
      }
      trend(bucket: HOUR, buckets: 24)
    }
    pageInfo {
      hasNextPage
    }
  }
  server {
    now
  }
}
    `, {"hash":"sha256:a8be9a44d74e881c75a9d99905f94c7f2337b74a1727b0a2a16673de280fa6bd"}) as unknown as TypedDocumentString<ErrorsQuery, ErrorsQueryVariables>;
export const ErrorsLiveDocument = new TypedDocumentString(`
    subscription ErrorsLive($after: String) {
  errorGroupSeen(after: $after) {
    cursor
    node {
      id
    }
  }
}
    `, {"hash":"sha256:7275383921a4d6bb194bcdf7cab521b9d66b6f9ddddd9e025f17639f47fee767"}) as unknown as TypedDocumentString<ErrorsLiveSubscription, ErrorsLiveSubscriptionVariables>;
export const ErrorGroupDocument = new TypedDocumentString(`
    query ErrorGroup($id: ID!, $bucket: TimeBucketSize!, $buckets: Int!) {
  node(id: $id) {
    __typename
    ... on ErrorGroup {
      id
      code
      message
      types
      firstSeenAt
      lastSeenAt
      count {
        value
        isExact
      }
      trend(bucket: $bucket, buckets: $buckets)
      sample {
        id
        type
        lastErrorMessage
      }
    }
  }
  server {
    now
  }
}
    `, {"hash":"sha256:476f58fb45224f1a11f26c085711b4d107b60cc57113e5a9a1bf5f48c9bc43b2"}) as unknown as TypedDocumentString<ErrorGroupQuery, ErrorGroupQueryVariables>;
export const ErrorGroupTypesDocument = new TypedDocumentString(`
    query ErrorGroupTypes($id: ID!) {
  jobGroups(by: [TYPE], filter: {errorGroup: $id}, first: 20) {
    key {
      type
    }
    count
    statusCounts {
      status
      count {
        value
        isExact
      }
    }
  }
}
    `, {"hash":"sha256:a4c1b1d7e57932f8023882ca116b422016c80795527faed8e27d14d77c6c9422"}) as unknown as TypedDocumentString<ErrorGroupTypesQuery, ErrorGroupTypesQueryVariables>;
export const ErrorGroupJobsDocument = new TypedDocumentString(`
    query ErrorGroupJobs($id: ID!) {
  jobs(
    filter: {errorGroup: $id}
    orderBy: {field: UPDATED_AT, direction: DESC}
    first: 12
  ) {
    count(atMost: 10000) {
      value
      isExact
    }
    nodes {
      ...JobLite
    }
  }
}
    fragment JobLite on Job {
  id
  type
  queue
  status
  priority
  attempt
  maxAttempts
  createdAt
  updatedAt
  queuedAt
  scheduledAt
  startedAt
  finishedAt
  waitSeconds
  runSeconds
  worker
  lastErrorCode
  lastErrorMessage
}`, {"hash":"sha256:969ed7a4efde98cfbd19d6faaa439e9f9a4ce708878ee4c95e6379a577a06d40"}) as unknown as TypedDocumentString<ErrorGroupJobsQuery, ErrorGroupJobsQueryVariables>;
export const RetryManyDocument = new TypedDocumentString(`
    mutation RetryMany($filter: JobFilter!, $limit: Int!, $reason: String, $dryRun: Boolean!, $asOf: DateTime) {
  retryJobs(
    filter: $filter
    limit: $limit
    reason: $reason
    dryRun: $dryRun
    asOf: $asOf
  ) {
    ...BulkResult
  }
}
    fragment BulkResult on BulkJobPayload {
  matched {
    value
    isExact
  }
  changed
  skipped
  skips {
    reason
    status
    count
  }
  samples {
    ...BulkSample
  }
}
fragment BulkSample on Job {
  id
  type
  status
  createdAt
}`, {"hash":"sha256:4e52456a7dbd2a7cc461dbe507a5d4739e25457d17cff84c40533f97bbc5c82b"}) as unknown as TypedDocumentString<RetryManyMutation, RetryManyMutationVariables>;
export const CancelManyDocument = new TypedDocumentString(`
    mutation CancelMany($filter: JobFilter!, $limit: Int!, $reason: String, $dryRun: Boolean!, $asOf: DateTime) {
  cancelJobs(
    filter: $filter
    limit: $limit
    reason: $reason
    dryRun: $dryRun
    asOf: $asOf
  ) {
    ...BulkResult
  }
}
    fragment BulkResult on BulkJobPayload {
  matched {
    value
    isExact
  }
  changed
  skipped
  skips {
    reason
    status
    count
  }
  samples {
    ...BulkSample
  }
}
fragment BulkSample on Job {
  id
  type
  status
  createdAt
}`, {"hash":"sha256:ebff530d9f549dddafe5277d615a55e8309f0bd71a603ef80d88ba59574d2c18"}) as unknown as TypedDocumentString<CancelManyMutation, CancelManyMutationVariables>;
export const DeleteManyDocument = new TypedDocumentString(`
    mutation DeleteMany($filter: JobFilter!, $limit: Int!, $reason: String, $dryRun: Boolean!, $asOf: DateTime) {
  deleteJobs(
    filter: $filter
    limit: $limit
    reason: $reason
    dryRun: $dryRun
    asOf: $asOf
  ) {
    matched {
      value
      isExact
    }
    deleted
    skipped
    skips {
      reason
      status
      count
    }
    samples {
      ...BulkSample
    }
  }
}
    fragment BulkSample on Job {
  id
  type
  status
  createdAt
}`, {"hash":"sha256:a7d31d87a96d7cd37ec3496864b2865f4062ae52bb7c44e7d8a61797f6741a94"}) as unknown as TypedDocumentString<DeleteManyMutation, DeleteManyMutationVariables>;
export const JobsPageDocument = new TypedDocumentString(`
    query JobsPage($filter: JobFilter, $orderBy: JobOrder, $first: Int!, $after: String) {
  jobs(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    nodes {
      ...JobRow
    }
    pageInfo {
      endCursor
      hasNextPage
    }
  }
  server {
    now
  }
}
    fragment JobRow on Job {
  id
  type
  queue
  status
  priority
  attempt
  maxAttempts
  createdAt
  updatedAt
  scheduledAt
  startedAt
  finishedAt
  waitSeconds
  runSeconds
  lastErrorCode
  lastErrorMessage
  requestedBy
  worker
  tags
  progress {
    fraction
    step
  }
  health {
    verdict
  }
}`, {"hash":"sha256:728ea5c78364f6d2a5daf6e64e32841060f7e5e37f1d336f2643aa7259c09acb"}) as unknown as TypedDocumentString<JobsPageQuery, JobsPageQueryVariables>;
export const JobsCountDocument = new TypedDocumentString(`
    query JobsCount($filter: JobFilter) {
  jobs(filter: $filter) {
    count(atMost: 10000) {
      value
      isExact
    }
  }
}
    `, {"hash":"sha256:84efe19980591a1c19a58495bf6cd8722da04a9cd856ff507a691ca537e22c5e"}) as unknown as TypedDocumentString<JobsCountQuery, JobsCountQueryVariables>;
export const JobsStatusFacetDocument = new TypedDocumentString(`
    query JobsStatusFacet($filter: JobFilter) {
  statusCounts(filter: $filter, atMost: 10000) {
    status
    count {
      value
      isExact
    }
  }
}
    `, {"hash":"sha256:a5597c6cab9539b33de2386fe9370b85dc235b3c0ebf5c1e7c2afc95b051eb5c"}) as unknown as TypedDocumentString<JobsStatusFacetQuery, JobsStatusFacetQueryVariables>;
export const JobsGroupFacetDocument = new TypedDocumentString(`
    query JobsGroupFacet($filter: JobFilter, $by: [JobDimension!]!) {
  jobGroups(by: $by, filter: $filter, first: 8) {
    key {
      type
      queue
      lastErrorCode
    }
    count
  }
}
    `, {"hash":"sha256:1c0c496c78bd63edbcae5e6989df01f13c98a78f4ef14f4f4ef7675371e1531c"}) as unknown as TypedDocumentString<JobsGroupFacetQuery, JobsGroupFacetQueryVariables>;
export const JobsHistogramDocument = new TypedDocumentString(`
    query JobsHistogram($filter: JobFilter, $from: DateTime!, $until: DateTime!, $bucket: TimeBucketSize!) {
  timeline(filter: $filter, from: $from, until: $until, bucket: $bucket) {
    start
    created
  }
}
    `, {"hash":"sha256:5f1c1a13ce5ee4312f0e710d8b087efd5d0097e07e04599df1a1cf4ef416b1b8"}) as unknown as TypedDocumentString<JobsHistogramQuery, JobsHistogramQueryVariables>;
export const JobsStillMatchingDocument = new TypedDocumentString(`
    query JobsStillMatching($filter: JobFilter) {
  jobs(filter: $filter, first: 100) {
    nodes {
      id
    }
  }
}
    `, {"hash":"sha256:098afa4bf4e1a0b8f82875a0ec75168083a5f000b0c0928dc8797b205893bffb"}) as unknown as TypedDocumentString<JobsStillMatchingQuery, JobsStillMatchingQueryVariables>;
export const JobsRowsDocument = new TypedDocumentString(`
    query JobsRows($ids: [ID!]!) {
  jobs(filter: {ids: $ids}, first: 100) {
    nodes {
      ...JobRow
    }
  }
}
    fragment JobRow on Job {
  id
  type
  queue
  status
  priority
  attempt
  maxAttempts
  createdAt
  updatedAt
  scheduledAt
  startedAt
  finishedAt
  waitSeconds
  runSeconds
  lastErrorCode
  lastErrorMessage
  requestedBy
  worker
  tags
  progress {
    fraction
    step
  }
  health {
    verdict
  }
}`, {"hash":"sha256:be12f89f3d4591620de4eb0e9415ea86ac7be6dd8507dcafc7b624b0fe556494"}) as unknown as TypedDocumentString<JobsRowsQuery, JobsRowsQueryVariables>;
export const JobsArrivingDocument = new TypedDocumentString(`
    subscription JobsArriving($filter: JobFilter, $after: String) {
  jobEvents(filter: {job: $filter}, after: $after) {
    cursor
    node {
      id
      job {
        id
      }
    }
  }
}
    `, {"hash":"sha256:4c851f951e5701a5801e20d09a5ce72a29fa88ac6f0c1564b8325f5353e6ba37"}) as unknown as TypedDocumentString<JobsArrivingSubscription, JobsArrivingSubscriptionVariables>;
export const JobsChangingDocument = new TypedDocumentString(`
    subscription JobsChanging($ids: [ID!]!, $after: String) {
  jobEvents(filter: {jobIds: $ids}, after: $after) {
    cursor
    node {
      id
      job {
        ...JobRow
      }
    }
  }
}
    fragment JobRow on Job {
  id
  type
  queue
  status
  priority
  attempt
  maxAttempts
  createdAt
  updatedAt
  scheduledAt
  startedAt
  finishedAt
  waitSeconds
  runSeconds
  lastErrorCode
  lastErrorMessage
  requestedBy
  worker
  tags
  progress {
    fraction
    step
  }
  health {
    verdict
  }
}`, {"hash":"sha256:205a07cfd0c5e233281dba721b2114198ec0024d5405bd82cc2366d3e692714d"}) as unknown as TypedDocumentString<JobsChangingSubscription, JobsChangingSubscriptionVariables>;
export const OverviewStatusesDocument = new TypedDocumentString(`
    query OverviewStatuses {
  statusCounts(atMost: 10000) {
    status
    count {
      value
      isExact
    }
  }
  server {
    now
  }
}
    `, {"hash":"sha256:840e8dea06b7d61d3b3a19a4c125002e7a05fe982a542a81cbaf16a55034b827"}) as unknown as TypedDocumentString<OverviewStatusesQuery, OverviewStatusesQueryVariables>;
export const OverviewStatusesLiveDocument = new TypedDocumentString(`
    subscription OverviewStatusesLive {
  statusCounts(everySeconds: 2) {
    status
    count {
      value
      isExact
    }
  }
}
    `, {"hash":"sha256:76c6541fbc3bf665185d81688c23627dba12e4dccd1d4c33ace8f1b2c8e8e704"}) as unknown as TypedDocumentString<OverviewStatusesLiveSubscription, OverviewStatusesLiveSubscriptionVariables>;
export const OverviewAttentionDocument = new TypedDocumentString(`
    query OverviewAttention {
  stuck: jobs(filter: {health: [STUCK]}, first: 4) {
    ...AttentionJobs
  }
  late: jobs(filter: {health: [LATE]}, first: 4) {
    ...AttentionJobs
  }
  flapping: jobs(filter: {health: [FLAPPING]}, first: 4) {
    ...AttentionJobs
  }
  slow: jobs(filter: {health: [SLOW]}, first: 4) {
    ...AttentionJobs
  }
}
    fragment AttentionJobs on JobConnection {
  count(atMost: 100) {
    value
    isExact
  }
  nodes {
    id
    type
    queue
    health {
      verdict
      since
    }
    updatedAt
  }
}`, {"hash":"sha256:2a409666aab36a58e7f286761cb96bb8aea2040990185604a3d430cff2273f34"}) as unknown as TypedDocumentString<OverviewAttentionQuery, OverviewAttentionQueryVariables>;
export const OverviewThroughputDocument = new TypedDocumentString(`
    query OverviewThroughput($from: DateTime!, $until: DateTime!, $bucket: TimeBucketSize!, $timeZone: String!) {
  timeline(from: $from, until: $until, bucket: $bucket, timeZone: $timeZone) {
    start
    succeeded
    failed
    canceled
    deadLettered
  }
}
    `, {"hash":"sha256:9cc2ca1b439efd4ab7b0b775154a2550beb27ab1b57bf94521d57152ce7b38d3"}) as unknown as TypedDocumentString<OverviewThroughputQuery, OverviewThroughputQueryVariables>;
export const OverviewErrorsDocument = new TypedDocumentString(`
    query OverviewErrors($since: DateTime!) {
  errorGroups(first: 6, since: $since, orderBy: LAST_SEEN) {
    nodes {
      id
      code
      message
      types
      firstSeenAt
      lastSeenAt
      count {
        value
        isExact
      }
      trend(bucket: HOUR, buckets: 24)
    }
  }
}
    `, {"hash":"sha256:b73139f860145028a3dd6b7457119d0736c9a63f2f5fbd231cba62b03e7a5092"}) as unknown as TypedDocumentString<OverviewErrorsQuery, OverviewErrorsQueryVariables>;
export const OverviewTypesDocument = new TypedDocumentString(`
    query OverviewTypes($since: DateTime!) {
  jobGroups(by: [TYPE], filter: {createdAt: {gte: $since}}, first: 8) {
    key {
      type
    }
    count
    statusCounts {
      status
      count {
        value
        isExact
      }
    }
    run {
      count
      p50
      p95
    }
    wait {
      p95
    }
  }
}
    `, {"hash":"sha256:cff4b79af6cf6ff3ab2958cae278469211362c2482be0e55916c71f6fe4bd174"}) as unknown as TypedDocumentString<OverviewTypesQuery, OverviewTypesQueryVariables>;
export const OverviewQueuesDocument = new TypedDocumentString(`
    query OverviewQueues {
  queues(minutes: 15) {
    name
    due {
      value
      isExact
    }
    running {
      value
      isExact
    }
    latencySeconds
    failed
    drainEta
  }
}
    `, {"hash":"sha256:1bc8149971509acd8de17a0712304ed136f7d9740910069bbb7bbf1ee3f615ec"}) as unknown as TypedDocumentString<OverviewQueuesQuery, OverviewQueuesQueryVariables>;
export const OverviewEventsDocument = new TypedDocumentString(`
    query OverviewEvents {
  jobEvents(first: 12) {
    nodes {
      ...LiveEvent
    }
  }
}
    fragment LiveEvent on JobEvent {
  id
  ts
  prevStatus
  nextStatus
  attempt
  job {
    id
    type
    queue
  }
}`, {"hash":"sha256:7986f1b263858a011f78e1e607ad823526db2720714797b014d00beb153a1abd"}) as unknown as TypedDocumentString<OverviewEventsQuery, OverviewEventsQueryVariables>;
export const OverviewEventsLiveDocument = new TypedDocumentString(`
    subscription OverviewEventsLive($after: String) {
  jobEvents(after: $after) {
    cursor
    node {
      ...LiveEvent
    }
  }
}
    fragment LiveEvent on JobEvent {
  id
  ts
  prevStatus
  nextStatus
  attempt
  job {
    id
    type
    queue
  }
}`, {"hash":"sha256:e8a85345992c3f88b7826eab40bb587905f0e33a83951b9c6f48191040c51542"}) as unknown as TypedDocumentString<OverviewEventsLiveSubscription, OverviewEventsLiveSubscriptionVariables>;
export const QueuesDocument = new TypedDocumentString(`
    query Queues($minutes: Int!) {
  queues(minutes: $minutes) {
    name
    due {
      value
      isExact
    }
    scheduled {
      value
      isExact
    }
    running {
      value
      isExact
    }
    oldestDueAt
    latencySeconds
    started
    succeeded
    failed
    wait {
      p50
      p95
    }
    run {
      p95
    }
    drainEta
  }
  server {
    now
  }
}
    `, {"hash":"sha256:e547235f8a87da9fddffbc0fff2947d495b99e619f588ece873febfb2bc2fda9"}) as unknown as TypedDocumentString<QueuesQuery, QueuesQueryVariables>;
export const WorkersDocument = new TypedDocumentString(`
    query Workers($minutes: Int!) {
  workers(minutes: $minutes) {
    name
    running {
      value
      isExact
    }
    lastSeenAt
  }
}
    `, {"hash":"sha256:0216a090a0bc53a750900b049b99e62a7510ea7537b00c8eba33628c7abd2eb8"}) as unknown as TypedDocumentString<WorkersQuery, WorkersQueryVariables>;
export const QueueTimelineDocument = new TypedDocumentString(`
    query QueueTimeline($filter: JobFilter!, $from: DateTime!, $until: DateTime!, $bucket: TimeBucketSize!, $timeZone: String!) {
  timeline(
    from: $from
    until: $until
    bucket: $bucket
    timeZone: $timeZone
    filter: $filter
  ) {
    start
    succeeded
    failed
    canceled
    deadLettered
  }
}
    `, {"hash":"sha256:2d9de342f033f6bf2559b5a503a492ce95bc20c204d9655f449a97cffad9504b"}) as unknown as TypedDocumentString<QueueTimelineQuery, QueueTimelineQueryVariables>;
export const QueueNextDocument = new TypedDocumentString(`
    query QueueNext($due: JobFilter!) {
  jobs(filter: $due, orderBy: {field: PRIORITY, direction: DESC}, first: 50) {
    nodes {
      ...JobLite
    }
    pageInfo {
      hasNextPage
    }
  }
}
    fragment JobLite on Job {
  id
  type
  queue
  status
  priority
  attempt
  maxAttempts
  createdAt
  updatedAt
  queuedAt
  scheduledAt
  startedAt
  finishedAt
  waitSeconds
  runSeconds
  worker
  lastErrorCode
  lastErrorMessage
}`, {"hash":"sha256:c111a12bbaeee92d55927e7e1c9306c84f686319892ab242ce1a4a2dcaeb7bec"}) as unknown as TypedDocumentString<QueueNextQuery, QueueNextQueryVariables>;
export const QueueOldestDocument = new TypedDocumentString(`
    query QueueOldest($due: JobFilter!, $first: Int!) {
  jobs(filter: $due, orderBy: {field: CREATED_AT, direction: ASC}, first: $first) {
    nodes {
      ...JobLite
    }
  }
}
    fragment JobLite on Job {
  id
  type
  queue
  status
  priority
  attempt
  maxAttempts
  createdAt
  updatedAt
  queuedAt
  scheduledAt
  startedAt
  finishedAt
  waitSeconds
  runSeconds
  worker
  lastErrorCode
  lastErrorMessage
}`, {"hash":"sha256:d448ae2e88560334253b6b5e0a7b2844080b85e6edfbb8ff42545c700f04d369"}) as unknown as TypedDocumentString<QueueOldestQuery, QueueOldestQueryVariables>;
export const QueueRunningDocument = new TypedDocumentString(`
    query QueueRunning($queue: String!) {
  jobs(
    filter: {queue: {eq: $queue}, status: [RUNNING]}
    orderBy: {field: STARTED_AT, direction: ASC}
    first: 10
  ) {
    count(atMost: 1000) {
      value
      isExact
    }
    nodes {
      ...JobLite
    }
  }
}
    fragment JobLite on Job {
  id
  type
  queue
  status
  priority
  attempt
  maxAttempts
  createdAt
  updatedAt
  queuedAt
  scheduledAt
  startedAt
  finishedAt
  waitSeconds
  runSeconds
  worker
  lastErrorCode
  lastErrorMessage
}`, {"hash":"sha256:b3a6301281a77f67ac01548ef0d61fd6420da9b06aba103166a9ec335541513b"}) as unknown as TypedDocumentString<QueueRunningQuery, QueueRunningQueryVariables>;
export const QueueTypesDocument = new TypedDocumentString(`
    query QueueTypes($queue: String!) {
  jobGroups(
    by: [TYPE]
    filter: {queue: {eq: $queue}, status: [QUEUED, RUNNING]}
    first: 12
  ) {
    key {
      type
    }
    count
    statusCounts {
      status
      count {
        value
        isExact
      }
    }
  }
}
    `, {"hash":"sha256:27d829706c76c02810c551f6091369d98bcd9eb9819ba50dc5533eaae6dc2d87"}) as unknown as TypedDocumentString<QueueTypesQuery, QueueTypesQueryVariables>;
export const QueueWorkersDocument = new TypedDocumentString(`
    query QueueWorkers($queue: String!, $since: DateTime!) {
  jobGroups(
    by: [WORKER]
    filter: {queue: {eq: $queue}, worker: {isNull: false}, startedAt: {gte: $since}}
    first: 20
  ) {
    key {
      worker
    }
    count
    statusCounts {
      status
      count {
        value
        isExact
      }
    }
    run {
      p50
    }
  }
}
    `, {"hash":"sha256:e6639ad4eff9da07128bd489775a9f4d720b6a8d0720dd5f87e5a08836383062"}) as unknown as TypedDocumentString<QueueWorkersQuery, QueueWorkersQueryVariables>;
export const SettingsViewerDocument = new TypedDocumentString(`
    query SettingsViewer {
  viewer {
    orgId
    orgName
    subject
    roles
    expiresAt
  }
  server {
    version
    now
  }
}
    `, {"hash":"sha256:83cf9b09cb059f7c07055822f4471c9e709bac60eabafdb368cacf0cdc58e12b"}) as unknown as TypedDocumentString<SettingsViewerQuery, SettingsViewerQueryVariables>;