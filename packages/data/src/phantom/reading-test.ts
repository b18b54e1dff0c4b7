import { createCipheriv, createDecipheriv, randomBytes, randomInt, scryptSync } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { FINDINGS, type Finding, findingLabel } from '../findings.ts';
import { encodeGreyPng } from '../render/png.ts';
import { renderImage } from './render.ts';
import { singleFinding } from './single-finding.ts';

/**
 * Whether the phantom's obvious findings can be read (design: at least 80 % by fresh eyes). The key is drawn anew each time and is
 * written encrypted only, so that the reader cannot look it up; whoever holds READING_PASSPHRASE scores the answers.
 *   READING_PASSPHRASE=... tsx packages/data/src/phantom/reading-test.ts draw DIR
 *   READING_PASSPHRASE=... tsx packages/data/src/phantom/reading-test.ts score DIR ANSWERS.csv     (lines `image,Finding`)
 */
const PER_FINDING = 8;
const SIZE = 512;
const OBVIOUS = 0.95;
const KEY = 'key.encrypted';

async function draw(folder: string, passphrase: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const asked = shuffled(FINDINGS.flatMap((finding) => Array.from({ length: PER_FINDING }, () => finding)));
  const sheet = randomBytes(8).toString('hex');
  const key: Record<string, Finding> = {};
  for (const [number, finding] of asked.entries()) {
    const plan = singleFinding(finding, { view: randomInt(2) ? 'PA' : 'AP', grade: OBVIOUS, number, sheet });
    const { pixels } = renderImage(plan, { seed: randomInt(2 ** 31), size: SIZE });
    const name = `${String(number + 1).padStart(3, '0')}.png`;
    key[name] = finding;
    await writeFile(path.join(folder, name), await encodeGreyPng({ width: SIZE, height: SIZE, pixels }));
  }
  await writeFile(path.join(folder, KEY), encrypt(JSON.stringify(key), passphrase));
  process.stdout.write(`${asked.length} images in ${folder}\n`);
}

async function score(folder: string, answersFile: string, passphrase: string): Promise<void> {
  const key = JSON.parse(decrypt(await readFile(path.join(folder, KEY)), passphrase)) as Record<string, Finding>;
  const answers = new Map(
    (await readFile(answersFile, 'utf8'))
      .trim()
      .split(/\r?\n/)
      .map((line) => line.split(',').map((cell) => cell.trim()) as [string, string]),
  );
  let right = 0;
  const lines = FINDINGS.map((finding) => {
    const given = Object.keys(key)
      .filter((name) => key[name] === finding)
      .map((name) => answers.get(name) ?? 'no answer');
    const hits = given.filter((answer) => answer === finding).length;
    right += hits;
    const others = [...new Set(given.filter((answer) => answer !== finding))];
    const wrong = others.map((answer) => `${answer} ${given.filter((other) => other === answer).length}`);
    return `| ${findingLabel(finding)} | ${hits} of ${given.length} | ${wrong.join(', ')} |`;
  });
  const total = Object.keys(key).length;
  process.stdout.write(`| drawn | read right | read as |\n|---|---|---|\n${lines.join('\n')}\n`);
  process.stdout.write(`| all | ${right} of ${total} (${Math.round((100 * right) / total)} %) | |\n`);
}

/** Fisher-Yates from the operating system's randomness: nothing in the repository repeats it. */
function shuffled<T>(values: T[]): T[] {
  for (let i = values.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
  return values;
}

function encrypt(text: string, passphrase: string): Buffer {
  const [salt, iv] = [randomBytes(16), randomBytes(12)];
  const cipher = createCipheriv('aes-256-gcm', scryptSync(passphrase, salt, 32), iv);
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([salt, iv, cipher.getAuthTag(), body]);
}

function decrypt(bytes: Buffer, passphrase: string): string {
  const decipher = createDecipheriv('aes-256-gcm', scryptSync(passphrase, bytes.subarray(0, 16), 32), bytes.subarray(16, 28));
  decipher.setAuthTag(bytes.subarray(28, 44));
  return Buffer.concat([decipher.update(bytes.subarray(44)), decipher.final()]).toString('utf8');
}

const [command, folder, answers] = process.argv.slice(2);
const passphrase = process.env['READING_PASSPHRASE'];
if (passphrase && command === 'draw' && folder) await draw(folder, passphrase);
else if (passphrase && command === 'score' && folder && answers) await score(folder, answers, passphrase);
else throw new Error('Usage: READING_PASSPHRASE=... reading-test.ts draw DIR | score DIR ANSWERS.csv');
