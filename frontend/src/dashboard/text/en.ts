// All words of the dashboard in English, by pages. A key with `.one` and `.other` is chosen by its `count`.
import { activity } from './en/activity';
import { batches } from './en/batches';
import { common } from './en/common';
import { errors } from './en/errors';
import { lists } from './en/lists';
import { jobs } from './en/jobs';
import { overview } from './en/overview';
import { queues } from './en/queues';
import { sources } from './en/sources';
import { types } from './en/types';
import { settings } from './en/settings';

export const en = {
  ...activity,
  ...batches,
  ...common,
  ...errors,
  ...jobs,
  ...lists,
  ...overview,
  ...queues,
  ...settings,
  ...sources,
  ...types,
} as const;
