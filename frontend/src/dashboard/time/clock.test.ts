import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketLabel, bucketSizeFor, bucketStart, bucketStarts, isoWeekText } from './buckets.ts';
import { relativeTime, relativeTimeLasts } from './relative.ts';
import { ServerClock } from './server-clock.ts';

const NOW = Date.parse('2026-11-26T14:00:00Z');
const at = (text: string): number => Date.parse(text);

test('relative times are in the language', () => {
  assert.equal(relativeTime(NOW - 185_000, NOW, 'en'), '3 min. ago');
  assert.equal(relativeTime(NOW - 185_000, NOW, 'de'), 'vor 3 Min.');
  assert.equal(relativeTime(NOW + 7_200_000, NOW, 'en'), 'in 2 hr.');
  assert.equal(relativeTime(NOW - 400, NOW, 'en'), 'now');
  assert.equal(relativeTime(NOW - 86_400_000, NOW, 'en'), 'yesterday');
  assert.equal(relativeTime(NOW - 59_999, NOW, 'en'), '59 sec. ago');
});

test('a relative time lasts until the next whole unit', () => {
  assert.equal(relativeTimeLasts(NOW - 185_000, NOW), 55_000);
  assert.equal(relativeTimeLasts(NOW - 5_300, NOW), 1_000);
  assert.equal(relativeTimeLasts(NOW + 90_000, NOW), 30_000);
  for (const age of [61_000, 3_700_000, 90_000_000]) {
    const lasts = relativeTimeLasts(NOW - age, NOW);
    const shown = relativeTime(NOW - age, NOW, 'en');
    assert.equal(relativeTime(NOW - age, NOW + lasts - 1, 'en'), shown);
  }
});

test('the clock of the device may be an hour wrong', () => {
  const clock = new ServerClock();
  assert.equal(clock.now(NOW), NOW);
  clock.take({ serverNow: NOW, sentAt: NOW + 3_600_000, receivedAt: NOW + 3_600_200 });
  assert.equal(clock.now(NOW + 3_600_100), NOW);
  assert.equal(clock.offset, -3_600_100);
});

test('the quickest answer counts, until the clock was set', () => {
  const clock = new ServerClock();
  clock.take({ serverNow: NOW, sentAt: NOW, receivedAt: NOW + 20 });
  clock.take({ serverNow: NOW + 1_100, sentAt: NOW + 1_000, receivedAt: NOW + 2_000 });
  assert.equal(clock.offset, -10);
  clock.take({ serverNow: NOW + 60_000, sentAt: NOW + 5_000, receivedAt: NOW + 6_000 });
  assert.equal(clock.offset, 54_500);
});

test('an old answer gives way', () => {
  const clock = new ServerClock();
  clock.take({ serverNow: NOW, sentAt: NOW, receivedAt: NOW + 20 });
  clock.take({ serverNow: NOW + 700_400, sentAt: NOW + 700_000, receivedAt: NOW + 701_000 });
  assert.equal(clock.offset, -100);
});

test('intervals are aligned to UTC, weeks to Mondays', () => {
  const time = at('2026-11-26T14:23:45Z');
  assert.equal(bucketStart(time, 'MINUTE'), at('2026-11-26T14:23:00Z'));
  assert.equal(bucketStart(time, 'FIVE_MINUTES'), at('2026-11-26T14:20:00Z'));
  assert.equal(bucketStart(time, 'HOUR'), at('2026-11-26T14:00:00Z'));
  assert.equal(bucketStart(time, 'DAY'), at('2026-11-26T00:00:00Z'));
  assert.equal(bucketStart(time, 'WEEK'), at('2026-11-23T00:00:00Z'));
});

test('a range has the intervals that it has a part of', () => {
  const starts = bucketStarts(at('2026-11-26T14:30:00Z'), at('2026-11-26T16:00:00Z'), 'HOUR');
  assert.deepEqual(starts, [at('2026-11-26T14:00:00Z'), at('2026-11-26T15:00:00Z')]);
  assert.deepEqual(bucketStarts(NOW, NOW, 'HOUR'), []);
});

test('intervals are as short as their number allows', () => {
  assert.equal(bucketSizeFor(NOW - 3_600_000, NOW, 60), 'MINUTE');
  assert.equal(bucketSizeFor(NOW - 3_600_001, NOW, 60), 'FIVE_MINUTES');
  assert.equal(bucketSizeFor(NOW - 86_400_000, NOW, 24), 'HOUR');
  assert.equal(bucketSizeFor(0, NOW, 2), 'WEEK');
});

test('weeks belong to the year of their Thursday', () => {
  assert.equal(isoWeekText(at('2026-11-26T14:00:00Z')), '2026-W48');
  assert.equal(isoWeekText(at('2027-01-03T23:59:59Z')), '2026-W53');
  assert.equal(isoWeekText(at('2027-01-04T00:00:00Z')), '2027-W01');
  assert.equal(isoWeekText(at('2024-12-30T00:00:00Z')), '2025-W01');
});

test('labels are in the zone, but for days of UTC', () => {
  const style = { locale: 'en', zone: 'America/New_York' };
  assert.equal(bucketLabel(at('2026-11-26T14:00:00Z'), 'HOUR', style), 'Nov 26, 09:00');
  assert.equal(bucketLabel(at('2026-11-26T00:00:00Z'), 'DAY', style), 'Nov 26, 2026');
  assert.equal(bucketLabel(at('2026-11-23T00:00:00Z'), 'WEEK', style), '2026-W48');
});
