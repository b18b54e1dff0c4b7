import type { Random } from '@cxr-lens/data';
import { mutateBytes, mutateJson, mutateWords } from './mutate.ts';
import { dicoms, images, type Sample } from './samples.ts';
import type { Input, OpenTarget, Verdict } from './targets.ts';

/** Longer than an upload may take to be given up. */
const ANSWER_MS = 60_000;

/** Matches what no answer may show: a stack, or a path of the program or machine. */
const LEAK = /node_modules|\.[mc]?[tj]s:\d+|\n\s+at |\/tmp\/|\/root\/|\/home\/|Prisma|INTERNAL/;

async function post(url: string, { bytes, as, valid }: Input): Promise<Verdict> {
  try {
    const body = new Uint8Array(bytes);
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': as }, body, signal: AbortSignal.timeout(ANSWER_MS) });
    const text = await response.text();
    // What the request itself held may come back in the answer.
    const leak = LEAK.exec(text)?.[0];
    if (leak && !bytes.includes(leak) && !valid.bytes.includes(leak))
      return { fault: `${response.status} shows "${leak.trim()}": ${text.slice(0, 300)}` };
    if (response.status >= 500) return { fault: `${response.status}: ${text.slice(0, 300)}` };
    return isAccepted(response.status, text) ? 'accepted' : 'refused';
  } catch (error) {
    const { message, cause } = error as Error;
    return { fault: `no answer: ${message}${cause instanceof Error ? ` (${cause.message})` : ''}` };
  }
}

function isAccepted(status: number, text: string): boolean {
  const { errors, rejected } = JSON.parse(text || '{}') as { errors?: unknown[]; rejected?: unknown[] };
  return status < 300 && !errors && (rejected ?? []).length === 0;
}

const BOUNDARY = 'fuzz';
const CRLF = '\r\n';
const PARTS = [
  CRLF,
  `--${BOUNDARY}`,
  `${CRLF}--${BOUNDARY}${CRLF}`,
  `${CRLF}--${BOUNDARY}--`,
  ':',
  '"',
  '\0',
  '\r',
  '\n',
  'Content-Disposition: ',
  'filename=',
  'Content-Type: multipart/mixed; boundary=x',
  ' '.repeat(4000),
];

function body(parts: readonly { headers: readonly string[]; bytes: Uint8Array }[]): Buffer {
  const inner = parts.flatMap(({ headers, bytes }) => [
    Buffer.from(`--${BOUNDARY}${CRLF}${headers.join(CRLF)}${CRLF}${CRLF}`),
    bytes,
    Buffer.from(CRLF),
  ]);
  return Buffer.concat([...inner, Buffer.from(`--${BOUNDARY}--${CRLF}`)]);
}

async function bodies(): Promise<Sample[]> {
  const form = (as: string): string[] => [
    `Content-Disposition: form-data; name="file"; filename="${as}"`,
    'Content-Type: application/octet-stream',
  ];
  const pictures = await images();
  const stow = dicoms().map(({ bytes }) => ({ headers: ['Content-Type: application/dicom'], bytes }));
  const FORM = `multipart/form-data; boundary=${BOUNDARY}`;
  return [
    { as: FORM, bytes: body(pictures.slice(0, 2).map(({ as, bytes }) => ({ headers: form(as), bytes }))) },
    { as: FORM, bytes: body([{ headers: form('a.txt'), bytes: Buffer.from('no image') }]) },
    {
      as: FORM,
      bytes: body([
        { headers: ['Content-Disposition: form-data; name="note"'], bytes: Buffer.from('text') },
        { headers: form('b.png'), bytes: pictures[0]!.bytes },
      ]),
    },
    { as: `multipart/related; type="application/dicom"; boundary=${BOUNDARY}`, bytes: body(stow) },
  ];
}

const QUERIES = [
  '{ studies(first: 5, filter: { text: "a" }) { totalCount pageInfo { endCursor } edges { cursor node { id images(first: 2) { id url study { id } explanations { logit cam { url values } } } } } } }',
  'query Q($id: ID!) { run(id: $id) { id epochs { epoch trainLoss } evaluations { meanAuc localization { points { accuracy low high } } } } image(id: $id) { id } job(id: $id) { id } }',
  '{ comparisons { finding { name } statement runs { run { id } } differences { value statement } } comparison(finding: Cardiomegaly) { statement } methods { name } }',
  'mutation M($input: TrainInput!) { trainRun(input: $input) { id state run { id } } }',
  'mutation { sweepEpsilon(input: { fromRun: "x", epsilons: [0, 0.005] }) { id } explainImage(imageId: "x") { id } deleteStudy(id: "x") cancelJob(id: "x") { id } }',
  'fragment F on Job { id kind state error { code message } } { jobs(first: 3) { edges { node { ...F } } } viewer { name } dataSets { id } __typename }',
];
const VARIABLES = { id: 'x', input: { method: 'BASELINE', dataSet: 'x', seed: 1, options: { maxEpochs: 2, batchSize: 8 } } };
const WORDS = [
  '{',
  '}',
  '(',
  ')',
  '...',
  '...F',
  '@skip(if: true)',
  '@include(if: $x)',
  'null',
  '-1',
  '1e999',
  '99999999999999999999',
  '"\\u0000"',
  '""',
  '"%"',
  '[]',
  '{}',
  '$id',
  '$input',
  ':',
  '!',
  '#',
  'fragment',
  'subscription',
  '__schema { types { name } }',
  'first: 100000',
  'after: "x"',
  'id',
];

/** A body of GraphQL over HTTP: the words of its document, its variables, or all of its JSON changed. */
function graphqlBody(random: Random): Buffer {
  const query = QUERIES[random.int(QUERIES.length)]!;
  switch (random.int(4)) {
    case 0:
      return Buffer.from(JSON.stringify({ query, variables: mutateJson(VARIABLES, random) }));
    case 1:
      return Buffer.from(JSON.stringify(mutateJson({ query, variables: VARIABLES, operationName: null }, random)) ?? '');
    case 2:
      return mutateBytes(Buffer.from(JSON.stringify({ query, variables: VARIABLES })), random);
    default:
      return Buffer.from(JSON.stringify({ query: mutateWords(query, random, WORDS), variables: VARIABLES }));
  }
}

/** What is asked of a running API. */
export const API_TARGETS: Record<'multipart' | 'graphql', OpenTarget> = {
  multipart: async ({ url }) => {
    const valid = await bodies();
    return {
      make(random) {
        const sample = valid[random.int(valid.length)]!;
        return { as: sample.as, valid: sample, bytes: mutateBytes(sample.bytes, random, PARTS) };
      },
      read: (input) => post(`${url}/studies`, input),
    };
  },
  graphql: async ({ url }) => {
    const valid: Sample = { as: 'application/json', bytes: Buffer.from(JSON.stringify({ query: QUERIES[0], variables: {} })) };
    return {
      make: (random) => ({ as: valid.as, valid, bytes: graphqlBody(random) }),
      read: (input) => post(`${url}/graphql`, input),
    };
  },
};
