// Icons: drawn here, in the colour of the text around them. They repeat what words say, and are hidden.
const PATHS = {
  queued: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM8 5v3.2l2 1.3',
  running: 'M5 3.2v9.6l8-4.8-8-4.8Z',
  succeeded: 'm3 8.5 3.2 3.2L13 5',
  failed: 'm4 4 8 8M12 4l-8 8',
  canceled: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM4.2 11.8l7.6-7.6',
  dead_letter: 'M3 3h10v10H3V3Zm2.8 2.8 4.4 4.4m0-4.4-4.4 4.4',
  query: 'M6 3.5c-1.8 0-1.8 1-1.8 2.2S4 8 2.8 8c1.2 0 1.4 1.1 1.4 2.3s0 2.2 1.8 2.2M10 3.5c1.8 0 1.8 1 1.8 2.2S12 8 13.2 8c-1.2 0-1.4 1.1-1.4 2.3s0 2.2-1.8 2.2',
  close: 'm4 4 8 8M12 4l-8 8',
  search: 'M7 2.8a4.2 4.2 0 1 0 0 8.4 4.2 4.2 0 0 0 0-8.4Zm3.1 7.3 3.4 3.4',
  table: 'M2.5 3.5h11v9h-11v-9Zm0 3h11m-11 3h11m-7-6v9',
  chart: 'M3 13V7m3.5 6V3.5M10 13V9m3 4V5.5',
  pause: 'M5.5 3.5v9m5-9v9',
  play: 'M5 3.2v9.6l8-4.8-8-4.8Z',
  settings: 'M3 4.5h6m3 0h1M3 8h1m3 0h6M3 11.5h5m3 0h2M10.5 3v3M5.5 6.5v3m4 .5v3',
  retry: 'M12.8 6.2A5 5 0 1 0 13 9.4M13 3v3.4H9.6',
  copy: 'M5.5 5.5v-3h8v8h-3m-8-5h8v8h-8v-8Z',
  external: 'M6 3.5H3v9.5h9.5v-3M8.5 3H13v4.5M13 3 7.5 8.5',
  warning: 'M8 2.5 14 13H2L8 2.5Zm0 4v3m0 1.8v.2',
  left: 'M10 3 5 8l5 5',
  right: 'm6 3 5 5-5 5',
  down: 'm3 6 5 5 5-5',
  up: 'm3 10 5-5 5 5',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  user: 'M8 2.8a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2ZM3 13.5c.6-2.4 2.5-3.7 5-3.7s4.4 1.3 5 3.7',
  pin: 'M8 9v5M5 2.5h6l-1 4 2 2.5H4l2-2.5-1-4Z',
} as const;

export type IconName = keyof typeof PATHS;

const FILLED: readonly IconName[] = ['running', 'play'];

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      className={FILLED.includes(name) ? 'icon icon-filled' : 'icon'}
      viewBox="0 0 16 16"
      width={size}
      height={size}
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
