// One request to the API: its document by hash, its answer with every digit, its errors by code.
import { authorization, currentToken, leave } from '../../shared/session';
import type { TypedDocumentString } from '../generated/graphql';
import { parseAnswer } from '../json/parse';
import { currentOrg } from './org';
import { api } from './place';

/** The fields whose values are other people's JSON: every digit of it is kept. */
const EXACT: ReadonlySet<string> = new Set(['payload', 'result', 'detail']);

export interface ApiFault {
  message: string;
  path?: (string | number)[];
  extensions?: { code?: string; retryAfter?: number };
}

/** Why there is no answer, or not all of it. `code`: of the API, or UNREACHABLE. */
export class ApiError extends Error {
  readonly code: string;
  /** After how many seconds to try again; null if the server did not say. */
  readonly retryAfterSeconds: number | null;

  constructor(code: string, message: string, retryAfterSeconds: number | null = null) {
    super(message);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export type Document<Result, Variables> = TypedDocumentString<Result, Variables>;

/** The members of a request, over HTTP as over a WebSocket. */
export function members<R, V>(document: Document<R, V>, variables: V) {
  return { documentId: hashOf(document), variables };
}

/** By this id the server knows the document: `sha256:` and the hash of its text. */
export function hashOf<R, V>(document: Document<R, V>): string {
  return String(document.__meta__?.['hash']);
}

export function requestHeaders(): Record<string, string> {
  const token = currentToken();
  const org = currentOrg();
  return {
    ...(token === null ? {} : authorization(token)),
    ...(org === null ? {} : { 'Joblens-Org': org }),
  };
}

/** Asks the API. Throws an ApiError if any part of the answer is missing. */
export async function send<R, V>(
  document: Document<R, V>,
  variables: V,
  signal?: AbortSignal,
): Promise<R> {
  try {
    return (await ask(members(document, variables), signal)) as R;
  } catch (error) {
    // A server of another version than this page's does not know its hashes.
    const isUnknown = error instanceof ApiError && error.code === 'PERSISTED_QUERY_NOT_FOUND';
    if (!isUnknown) throw error;
    return (await ask({ query: document.toString(), variables }, signal)) as R;
  }
}

// What this page has written: a replica that lacks it does not answer.
const POSITION = 'Joblens-Position';
let position: string | null = null;

async function ask(body: object, signal?: AbortSignal): Promise<unknown> {
  const answer = await post(JSON.stringify(body), signal);
  if (answer.status === 401) leave('refused');
  position = answer.headers.get(POSITION) ?? position;
  const retryAfter = Number(answer.headers.get('Retry-After')) || null;
  const { data, errors } = await readBody(answer);
  const fault = errors?.[0];
  if (fault) throw errorOf(fault, retryAfter);
  if (data === undefined) throw unreachable(answer.status);
  return data;
}

export function errorOf(fault: ApiFault, retryAfter: number | null = null): ApiError {
  const { code = 'INTERNAL_SERVER_ERROR', retryAfter: inBody } = fault.extensions ?? {};
  return new ApiError(code, fault.message, retryAfter ?? inBody ?? null);
}

async function post(body: string, signal?: AbortSignal): Promise<Response> {
  try {
    return await fetch(api, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/graphql-response+json',
        ...requestHeaders(),
        ...(position === null ? {} : { [POSITION]: position }),
      },
      body,
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw unreachable();
  }
}

async function readBody(answer: Response): Promise<{ data?: unknown; errors?: ApiFault[] }> {
  try {
    return parseAnswer(await answer.text(), EXACT) as { data?: unknown; errors?: ApiFault[] };
  } catch {
    throw unreachable(answer.status);
  }
}

function unreachable(status?: number): ApiError {
  return new ApiError('UNREACHABLE', status === undefined ? '' : String(status));
}
