// Reading prices without changing them. JSON.parse turns 150.10 into 150.1 and 0.00000001 into 1e-8;
// a price should be shown with the digits that its provider gave. So every number of a message is put
// in quotes before it is parsed: numbers arrive as their own text, and who calculates says Number().

// A string (skipped whole, so that digits inside it stay as they are) or a number.
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** JSON.parse, but with every number as the text it was written with. Throws like JSON.parse. */
export function parseExact(text) {
  return JSON.parse(text.replace(STRING_OR_NUMBER, (m) => (m[0] === '"' ? m : `"${m}"`)));
}
