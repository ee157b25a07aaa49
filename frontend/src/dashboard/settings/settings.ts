// What the reader chose for this browser. Read once: a change of language or zone loads the page again.

export interface Settings {
  theme: 'system' | 'light' | 'dark';
  density: 'compact' | 'comfortable';
  language: 'en' | 'de';
  /** An IANA name; null: that of the device. */
  timeZone: string | null;
  hasSingleKeys: boolean;
  reducesMotion: boolean;
}

const KEY = 'joblens:settings';

const DEFAULTS: Settings = {
  theme: 'system',
  density: 'compact',
  language: navigator.language.startsWith('de') ? 'de' : 'en',
  timeZone: null,
  hasSingleKeys: true,
  reducesMotion: false,
};

export const settings: Settings = { ...DEFAULTS, ...stored() };
export const deviceZone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
export const timeZone = settings.timeZone ?? deviceZone;

function stored(): Partial<Settings> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Settings>;
  } catch {
    return {};
  }
}

/** Keeps a change. What cannot be changed in place needs the page to be loaded again. */
export function change(changed: Partial<Settings>): void {
  Object.assign(settings, changed);
  localStorage.setItem(KEY, JSON.stringify(settings));
  applyToPage();
  if ('language' in changed || 'timeZone' in changed) window.location.reload();
}

/** Puts the choices on the root element, where the styles read them. */
export function applyToPage(): void {
  const { dataset } = document.documentElement;
  dataset['density'] = settings.density;
  dataset['motion'] = settings.reducesMotion ? 'reduced' : 'full';
  if (settings.theme === 'system') delete dataset['theme'];
  else dataset['theme'] = settings.theme;
}
