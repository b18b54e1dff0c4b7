import { describe, expect, it } from 'vitest';
import { boxReason } from './explanations.ts';

const none = { boxX: null, boxY: null, boxWidth: null, boxHeight: null, camThreshold: null, camMin: 0, camMax: 0.5 };

describe('why there is no box', () => {
  it.each([
    ['baseline', 'Mass', {}, 'No map threshold is known for Mass: this run was not measured on boxes of it.'],
    ['baseline', 'Hernia', {}, 'No map threshold is known for Hernia: no boxes of it exist to choose one on.'],
    ['baseline', 'Mass', { camMin: -2, camMax: -1 }, 'No positive evidence: the map is nowhere above zero.'],
    ['baseline', 'Mass', { camThreshold: 200 }, 'No part of the map reaches the threshold.'],
    ['supervised', 'Mass', { camThreshold: 256 }, 'No patch has a score above 0.5.'],
    ['supervised', 'Hernia', {}, 'No patch has a score above 0.5.'],
    [
      'generative',
      'Mass',
      {},
      'No threshold is known for how much the walk must change an image for Mass: this run was not measured on boxes of it.',
    ],
    ['generative', 'Mass', { camMax: 0 }, 'The map is the same everywhere: it points to no region.'],
  ])('%s, %s, %j', (method, finding, change, reason) => {
    expect(boxReason({ ...none, finding, run: { method }, ...change })).toBe(reason);
  });

  it('is nothing where there is a box', () => {
    expect(boxReason({ ...none, boxX: 1, boxY: 1, boxWidth: 2, boxHeight: 2, finding: 'Mass', run: { method: 'supervised' } })).toBeNull();
  });
});
