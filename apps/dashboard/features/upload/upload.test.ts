import { describe, expect, it } from 'vitest';
import { remedy } from '../../lib/request.ts';
import { readAnswer } from './send.ts';

describe('the answer to an upload', () => {
  it('lists studies and what was refused', () => {
    const answer = {
      studies: [{ id: 's', studyInstanceUid: '1.2', images: [] }],
      rejected: [{ fileName: 'x.png', code: 'CORRUPT', message: 'cut off' }],
    };
    expect(readAnswer(200, JSON.stringify(answer))).toEqual(answer);
    expect(readAnswer(415, JSON.stringify({ studies: [], rejected: answer.rejected })).rejected).toHaveLength(1);
  });

  it.each([
    [400, '{"code":"BAD_INPUT","message":"no file"}', 'BAD_INPUT', 'no file'],
    [413, '', 'TOO_LARGE', 'HTTP 413'],
    [503, '<html>', 'UNAVAILABLE', 'HTTP 503'],
    [200, 'null', 'BAD_INPUT', 'HTTP 200'],
  ])('%d %s is an error with a code', (status, text, code, message) => {
    expect(() => readAnswer(status, text)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }) as Error);
  });
});

describe('remedies', () => {
  it('are added where the message of the API may not say what to do', () => {
    for (const code of ['NOT_FOUND', 'UNAVAILABLE', 'INTERNAL', 'SOMETHING']) expect(remedy(code)).toMatch(/\.$/);
    expect(remedy('BAD_INPUT')).toBe('');
  });
});
