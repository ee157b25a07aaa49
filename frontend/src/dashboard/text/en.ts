// All words of the dashboard in English, by pages. A key with `.one` and `.other` is chosen by its `count`.
import { acts } from './en/acts';
import { common } from './en/common';
import { job } from './en/job';
import { jobs } from './en/jobs';
import { overview } from './en/overview';
import { settings } from './en/settings';

export const en = { ...common, ...acts, ...job, ...jobs, ...overview, ...settings } as const;
