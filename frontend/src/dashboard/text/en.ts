// All words of the dashboard in English, by pages. A key with `.one` and `.other` is chosen by its `count`.
import { activity } from './en/activity';
import { acts } from './en/acts';
import { batches } from './en/batches';
import { common } from './en/common';
import { errors } from './en/errors';
import { job } from './en/job';
import { jobs } from './en/jobs';
import { lists } from './en/lists';
import { overview } from './en/overview';
import { queues } from './en/queues';
import { settings } from './en/settings';
import { sources } from './en/sources';
import { types } from './en/types';

export const en = {
  ...common,
  ...acts,
  ...activity,
  ...batches,
  ...errors,
  ...job,
  ...jobs,
  ...lists,
  ...overview,
  ...queues,
  ...settings,
  ...sources,
  ...types,
} as const;
