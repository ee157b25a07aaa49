// All words of the dashboard in German, by pages.
import { activity } from './de/activity';
import { acts } from './de/acts';
import { batches } from './de/batches';
import { common } from './de/common';
import { errors } from './de/errors';
import { job } from './de/job';
import { jobs } from './de/jobs';
import { lists } from './de/lists';
import { overview } from './de/overview';
import { queues } from './de/queues';
import { settings } from './de/settings';
import { sources } from './de/sources';
import { types } from './de/types';
import type { Catalogue } from './text';

export const de: Catalogue = {
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
};
