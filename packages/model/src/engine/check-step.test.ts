import { expect, it } from 'vitest';
import { checkStep, type Values } from './check-step.ts';

const arrays = (...values: number[]): Values => ({ a: Float32Array.from(values) });

/** The step's own loss is 2, and its state goes from (1, 1) to (1.1, 0.9). */
function check(loss: number, ...state: number[]): () => void {
  return () =>
    checkStep('whole', { outputs: [arrays(loss), arrays(2)], state: [arrays(...state), arrays(1.1, 0.9)], before: arrays(1, 1) });
}

it('takes what differs by rounding, and refuses another loss, a state that did not change, or changed otherwise', () => {
  expect(check(2.0001, 1.1001, 0.9)).not.toThrow();
  expect(check(2.2, 1.1, 0.9)).toThrow('The compiled whole computes something else than the step itself: outputs 1.0e-1');
  expect(check(2, 1, 1)).toThrow('change of the state 1.0e+0 off');
  expect(check(2, 0.9, 1.1)).toThrow('change of the state 2.0e+0 off');
  expect(check(2, 1.1, 1)).toThrow('change of the state');
});

it('takes a gradient in which one ReLU turned where a plan says so, but none of another sign or without its greatest part', () => {
  const gradient = arrays(1, -1, 1, -1, 0.3);
  const found = (...values: number[]) => {
    return () => checkStep('run', { outputs: [arrays(...values), gradient], state: [{}, {}], before: {}, outputTolerance: 0.3 });
  };
  expect(found(1, -1, 1, -1, 0)).not.toThrow();
  expect(found(-1, 1, -1, 1, -0.3)).toThrow('outputs 2.0e+0');
  expect(found(1, -1, 1, 0, 0.3)).toThrow('outputs 4.9e-1');
});

it('has nothing to say of a step that ends in no number: the trainer does', () => {
  const step = (found: number, own: number) => () =>
    checkStep('whole', { outputs: [arrays(found), arrays(own)], state: [arrays(1), arrays(1)], before: arrays(1) });
  for (const none of [Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(step(none, none)).not.toThrow();
    expect(step(none, 2)).toThrow('The compiled whole computes something else');
  }
});
