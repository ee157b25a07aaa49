// The palette: to any page, to a job by its id, or to a search.
import { type KeyboardEvent, useId, useState } from 'react';
import { useLocation } from 'wouter';

import { jobPath, jobsPath } from '../paths';
import { t } from '../text/text';
import { Dialog } from './dialog';

interface Target {
  label: string;
  path: string;
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

const PAGES: readonly Target[] = [
  { label: t('nav.overview'), path: '/' },
  ...(['jobs', 'errors', 'queues', 'types', 'batches', 'sources', 'activity', 'settings'] as const).map(
    (page) => ({ label: t(`nav.${page}`), path: `/${page}` }),
  ),
];

export function Palette({ onClose }: { onClose: () => void }) {
  const [typed, setTyped] = useState('');
  const [active, setActive] = useState(0);
  const [, navigate] = useLocation();
  const id = useId();
  const targets = targetsOf(typed);

  function go(target: Target | undefined) {
    if (!target) return;
    onClose();
    navigate(target.path);
  }
  function onKeyDown(event: KeyboardEvent) {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (by !== 0) {
      event.preventDefault();
      setActive((before) => (before + by + targets.length) % targets.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      go(targets[active]);
    }
  }
  return (
    <Dialog title={t('palette.title')} onClose={onClose}>
      <input
        role="combobox"
        aria-label={t('palette.title')}
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={`${id}-${active}`}
        placeholder={t('palette.hint')}
        data-autofocus
        autoComplete="off"
        spellCheck={false}
        value={typed}
        onChange={(event) => (setTyped(event.target.value), setActive(0))}
        onKeyDown={onKeyDown}
      />
      <ul id={id} role="listbox" aria-label={t('palette.title')} className="palette">
        {targets.map((target, index) => (
          <li
            key={target.path}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active}
            onClick={() => go(target)}
          >
            {target.label}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

function targetsOf(typed: string): Target[] {
  const wanted = typed.trim();
  const id = UUID.exec(wanted)?.[0];
  const pages = PAGES.filter(({ label }) => label.toLowerCase().includes(wanted.toLowerCase()));
  const job = id ? [{ label: t('palette.job', { id }), path: jobPath(id) }] : [];
  const search =
    wanted === '' ? [] : [{ label: t('palette.search', { text: wanted }), path: jobsPath(wanted) }];
  return [...job, ...pages, ...search];
}
