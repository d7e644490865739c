// Is it flat? From samples at rest (the same clients, no visitors, no trouble) to a verdict. Pure.
//
// The slope is Theil and Sen's: the median of the slopes between all pairs of samples, which a few
// outliers don't move; its confidence interval comes from Kendall's statistic. Something grows when
// even the lower end of the interval, over the time that was judged, is more than is allowed. What is
// allowed is what an allocator's free lists and a few new rows of counters may take, not a rate. A
// single step, which no slope shows, may be STEP times as large: the worst moment so far.

const Z95 = 1.96;
const STEP = 4;

export function median(values) {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** points: [[hours, value]...]. {slope, low, high} per hour; null with fewer than 4 points. */
export function slopeOf(points) {
  const n = points.length;
  if (n < 4) return null;
  const slopes = [];
  for (let i = 0; i < n; i += 1) {
    for (let j = i + 1; j < n; j += 1) {
      const dt = points[j][0] - points[i][0];
      if (dt > 0) slopes.push((points[j][1] - points[i][1]) / dt);
    }
  }
  slopes.sort((a, b) => a - b);
  const spread = Z95 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const at = (rank) => slopes[Math.max(0, Math.min(slopes.length - 1, Math.round(rank)))];
  return { slope: median(slopes), low: at((slopes.length - spread) / 2 - 1), high: at((slopes.length + spread) / 2) };
}

/** Of one series: start and end (medians of a quarter at each end), slope, verdict. */
export function judgeSeries(points, allowed) {
  const found = slopeOf(points);
  if (!found) return { flat: null, points: points.length };
  const quarter = Math.max(1, Math.floor(points.length / 4));
  const values = points.map(([, value]) => value);
  const hours = points.at(-1)[0] - points[0][0];
  const [start, end] = [median(values.slice(0, quarter)), median(values.slice(-quarter))];
  return {
    points: points.length,
    hours,
    start,
    end,
    per_hour: found.slope,
    low_per_hour: found.low,
    high_per_hour: found.high,
    flat: found.low * hours <= allowed && end - start <= STEP * allowed,
    allowed,
  };
}

/** rests: [{hours, <site>: {rss_kb, ...}}]. Which of them count as warm: those of the second round of
 *  troubles on, and of the last four fifths at most. */
export function warmOnes(rests) {
  const whole = rests.at(-1)?.hours ?? 0;
  const warm = rests.filter((r) => r.round > 0 && r.hours >= 0.2 * whole);
  return warm.length >= 4 ? warm : [];
}
