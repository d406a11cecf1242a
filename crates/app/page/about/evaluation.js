// The saved evaluation as rows of a table, whatever was saved: before and after, or one model against chance.

const DIRECTIONS = { t2i: 'words → picture', i2t: 'picture → words' };
const MEASURES = { 'r@1': 'first', 'r@5': 'among 5', 'r@10': 'among 10', 'mrr@10': 'MRR@10', 'ndcg@10': 'nDCG@10' };
const CHARTED = ['mean_recall', 't2i_r@1', 't2i_r@5', 't2i_r@10', 'i2t_r@1', 'i2t_r@5', 'i2t_r@10'];
const ORDER = [...CHARTED, 't2i_mrr@10', 'i2t_mrr@10', 't2i_ndcg@10', 'i2t_ndcg@10'];

function nameOf(metric) {
  if (metric === 'mean_recall') return 'Mean recall';
  const [direction, measure] = metric.split('_');
  return `${DIRECTIONS[direction]}, ${MEASURES[measure]}`;
}

/** `{rows, beforeName, pool}`; no rows where there is nothing to show. */
export function evaluationRows(evaluation) {
  const metrics = new Map((evaluation?.metrics ?? []).map((metric) => [metric.name, metric]));
  const known = ORDER.filter((name) => metrics.has(name)).map((name) => metrics.get(name));
  const compared = known.some((metric) => metric.before !== null);
  const rows = known.map((metric) => ({
    name: nameOf(metric.name),
    before: (compared ? metric.before : metric.chance) ?? undefined,
    after: metric.after,
    low: metric.low ?? undefined,
    high: metric.high ?? undefined,
    charted: CHARTED.includes(metric.name),
  }));
  const { images, texts, split } = evaluation ?? {};
  const pool = images && texts ? `On ${images.toLocaleString()} pictures and ${texts.toLocaleString()} captions${split ? ` of the split ${split}` : ''}.` : '';
  return { rows, beforeName: compared ? 'Before' : 'Chance', pool };
}
