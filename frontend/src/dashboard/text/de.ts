// All words of the dashboard in German, by pages.
import { activity } from './de/activity';
import { batches } from './de/batches';
import { common } from './de/common';
import { errors } from './de/errors';
import { lists } from './de/lists';
import { jobs } from './de/jobs';
import { overview } from './de/overview';
import { queues } from './de/queues';
import { sources } from './de/sources';
import { types } from './de/types';
import { settings } from './de/settings';
import type { Catalogue } from './text';

export const de: Catalogue = {
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
};
