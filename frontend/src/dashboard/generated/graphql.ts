/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
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