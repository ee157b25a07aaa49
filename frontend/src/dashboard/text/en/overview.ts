// English words of the overview.
export const overview = {
  'overview.title': 'Overview',
  'overview.statuses': 'Jobs by status',
  'overview.attention': 'Needs attention',
  'overview.attentionNone': 'Nothing needs attention: no job is late, stuck or slow.',
  'overview.throughput': 'Throughput and failures',
  'overview.topErrors': 'Errors',
  'overview.noErrors': 'No errors in this time.',
  'overview.slowest': 'Types by time',
  'overview.activity': 'Live events',
  'overview.noEvents': 'No events yet. They appear here as they happen.',
  'overview.queues': 'Queues',
} as const;
