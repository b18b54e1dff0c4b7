import v8 from 'node:v8';
import vm from 'node:vm';

const EVERY = 20;

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;

let calls = 0;

/**
 * Called after each step, batch or explanation: every 20th time it collects JavaScript's garbage, 25 ms each.
 * TF.js writes down every operation for the gradient, 0.7 MB a step; these notes outlive V8's young generation, and V8, which
 * cannot see what TensorFlow holds, lets some 200 MB of them pile up before it collects by itself. So memory stays flat.
 */
export function relieveMemory(): void {
  calls += 1;
  if (calls % EVERY === 0) collect();
}
