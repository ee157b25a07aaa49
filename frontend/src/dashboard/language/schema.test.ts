import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { buildSchema, type GraphQLEnumType, type GraphQLInputObjectType } from 'graphql';
import { MEMBERS } from './arbitrary.ts';
import { STATUSES, VERDICTS } from './job-filter.ts';
import { KEYS } from './keys.ts';

const schema = buildSchema(readFileSync(new URL('../../../../schema.graphql', import.meta.url), 'utf8'));
const membersOf = (name: string): string[] => Object.keys((schema.getType(name) as GraphQLInputObjectType).getFields()).sort();
const valuesOf = (name: string): string[] => (schema.getType(name) as GraphQLEnumType).getValues().map((value) => value.name);

test('each member of a filter of the API has a key', () => {
  const written = [...KEYS.map(({ field }) => field), 'payloadContains', 'search', 'and', 'or', 'not'];
  assert.deepEqual(written.sort(), membersOf('JobFilter'));
});

test('the filters of the property tests have each member', () => {
  assert.deepEqual([...Object.keys(MEMBERS), 'and', 'or', 'not'].sort(), membersOf('JobFilter'));
});

test('the conditions of the API are those that are known', () => {
  assert.deepEqual(membersOf('StringFilter'), ['contains', 'containsIgnoreCase', 'eq', 'in', 'isNull', 'notIn', 'startsWith']);
  assert.deepEqual(membersOf('IntFilter'), ['eq', 'gte', 'in', 'lte']);
  assert.deepEqual(membersOf('FloatFilter'), ['gte', 'lt']);
  assert.deepEqual(membersOf('DateTimeFilter'), ['gte', 'isNull', 'lt']);
});

test('statuses, verdicts and fields to complete are those of the API', () => {
  assert.deepEqual([...STATUSES], valuesOf('JobStatus'));
  assert.deepEqual([...VERDICTS].sort(), valuesOf('HealthVerdict').sort());
  for (const { suggest } of KEYS) assert.ok(suggest === undefined || valuesOf('JobDimension').includes(suggest));
});
