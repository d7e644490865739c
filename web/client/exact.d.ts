/** JSON.parse, but every number is the text it was written with: 150.10 stays "150.10". */
export function parseExact(text: string): any;
