// All words of the dashboard in English, by pages. A key with `.one` and `.other` is chosen by its `count`.
import { common } from './en/common';
import { jobs } from './en/jobs';
import { overview } from './en/overview';
import { settings } from './en/settings';

export const en = { ...common, ...jobs, ...overview, ...settings } as const;
