/**
 * Saliency as a grey image (Simonyan et al. 2013): the gradient clipped at three standard deviations around zero, scaled to [0, 1]
 * with 0.5 = zero. No smoothing. A gradient that is zero everywhere is 0.5 everywhere.
 * @param gradient [S, S], d logit / d x, summed over the repeated channels
 */
export function saliencyImage(gradient: Float32Array): Float32Array {
  let total = 0;
  for (const value of gradient) total += value;
  const mean = total / gradient.length;
  let squares = 0;
  for (const value of gradient) squares += (value - mean) ** 2;
  const limit = 3 * Math.sqrt(squares / gradient.length);
  if (!(limit > 0)) return gradient.map((value) => 0.5 + 0.5 * Math.sign(value));
  return gradient.map((value) => 0.5 + (0.5 * Math.max(-limit, Math.min(limit, value))) / limit);
}
