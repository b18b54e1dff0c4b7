import { CxrError, columnOf, type Finding, parseFinding, readTable, rowError } from '@cxr-lens/data';

/**
 * The findings of each image, from the NIH label list: `Image Index` and `Finding Labels` with "|". Rows of other images are ignored.
 * @throws CxrError BAD_INPUT naming the first image without a label, or a label that names no finding
 */
export async function readLabels(file: string, images: readonly string[]): Promise<ReadonlySet<Finding>[]> {
  const table = await readTable(file);
  const nameColumn = columnOf(table, 'Image Index');
  const labelColumn = columnOf(table, 'Finding Labels');
  const rowOf = new Map(table.rows.map((cells, row) => [cells[nameColumn]?.trim() ?? '', row]));
  const known = new Map<string, ReadonlySet<Finding>>();
  return images.map((image) => {
    const row = rowOf.get(image);
    if (row === undefined) {
      throw new CxrError('BAD_INPUT', `${file} has no label for ${image}, which has scores. Add its line, or remove its scores.`);
    }
    const text = table.rows[row]![labelColumn]?.trim() ?? '';
    const before = known.get(text);
    if (before) return before;
    try {
      const findings = new Set(parseLabels(text));
      known.set(text, findings);
      return findings;
    } catch (error) {
      throw rowError(table, row, (error as CxrError).message);
    }
  });
}

function parseLabels(text: string): Finding[] {
  if (text === '') throw new CxrError('BAD_INPUT', 'the "Finding Labels" are empty; expected findings joined by "|", or "No Finding".');
  return text
    .split('|')
    .filter((name) => name.trim().toLowerCase() !== 'no finding')
    .map(parseFinding);
}
