// All words of the dashboard in German, by pages.
import { common } from './de/common';
import { jobs } from './de/jobs';
import { overview } from './de/overview';
import { settings } from './de/settings';
import type { Catalogue } from './text';

export const de: Catalogue = { ...common, ...jobs, ...overview, ...settings };
