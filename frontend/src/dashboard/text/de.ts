// All words of the dashboard in German, by pages.
import { acts } from './de/acts';
import { common } from './de/common';
import { job } from './de/job';
import { jobs } from './de/jobs';
import { overview } from './de/overview';
import { settings } from './de/settings';
import type { Catalogue } from './text';

export const de: Catalogue = { ...common, ...acts, ...job, ...jobs, ...overview, ...settings };
