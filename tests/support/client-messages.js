// What clients say, rightly and wrongly: the cases of the protocol's tests, which are also where the
// fuzzing of the whole program (tests/fuzz/frames) begins. Symbols: coffee, AAPL, EUR/USD.

const subscribe = (more) => `{"action":"subscribe","id":1,"symbols":["coffee"],${more}}`;

/** No JSON, more than one text, numbers and texts that nobody can read, or too deep. */
export const noJson = [
  ' \t\r\n',
  '\0',
  '{"action":"ping"}\0',
  '{"action":"pi\0ng"}',
  '{"action":"ping\\u0000"}',
  '\ufeff{"action":"ping"}',
  '{"action":"ping"}{"action":"ping"}',
  '{"action":"ping",}',
  "{'action':'ping'}",
  '{"action":"ping","x":NaN}',
  '{"action":"ping","x":1e999}',
  '{"action":"ping","x":99999999999999999999}',
  '{"action":"subscribe","symbols":["\\ud800"]}',
  '{"action":"subscribe","symbols":["\\udc00\\ud800"]}',
  '{"action":"subscribe","symbols":["\\ud83dx"]}',
  '{"action":"subscribe","symbols":["coffee\\u0000"]}',
  '{"action":"subscribe","symbols":["coffee"],"since":{"coffee":"a0:1","coffee":"a0:2"}}',
  '{"action":"subscribe","symbols":["coffee"],"symbols":["AAPL"]}',
  '['.repeat(60_000),
  ']'.repeat(60_000),
  '['.repeat(30_000) + ']'.repeat(30_000),
  `{"action":"ping","x":${'{"a":'.repeat(8000)}1${'}'.repeat(8000)}}`,
  `{"action":"ping","x":${'[{"a":'.repeat(5000)}`,
  `"${'\\'.repeat(60_000)}`,
  '"'.repeat(60_001),
];

/** Commands with the id 1 and one wrong member. */
export const wrongMembers = [
  ...['1.5', '1e99', '-1e99', '0.1', '-9223372036854775808', '9223372036854775807', 'null', 'true', '""', '"1"', '[]', '[1]', '{}']
    .map((v) => subscribe(`"interval_ms":${v}`)),
  ...['null', '1', '"*"', '{}', '{"price":1}', '[null]', '["price",["ts"]]', `["${'x'.repeat(1000)}"]`]
    .map((v) => subscribe(`"fields":${v}`)),
  ...['null', '1', '""', '[]', '[["coffee","a0:1"]]', '{"coffee":null}', '{"coffee":-1}', '{"coffee":9223372036854775807}', '{"coffee":1.5}', '{"coffee":["a0:1"]}', '{"coffee":{}}', '{"elsewhere":1}']
    .map((v) => subscribe(`"since":${v}`)),
  ...['null', '0', '1', '"true"', '[]'].map((v) => subscribe(`"snapshot":${v}`)),
  ...['null', '{}', '"*"', '1', '[["coffee"]]', '[{}]', '[1e5]', '["coffee","**"]', '["*coffee"]', '["c*e"]', '[" *"]', '["coffee","/*"]']
    .map((v) => `{"action":"subscribe","id":1,"symbols":${v}}`),
  '{"action":"unsubscribe","id":1,"symbols":[null]}',
  '{"action":"type","id":1}',
  '{"type":"subscribe","id":1,"symbols":["coffee"]}',
  '{"action":"SUBSCRIBE","id":1,"symbols":["coffee"]}',
  '{"action":["ping"],"id":1}',
  `{"action":"${'ping'.repeat(10_000)}","id":1}`,
];

/** Nothing wrong with these. */
export const rightMessages = [
  '{"action":"subscribe","symbols":["coffee","EUR/USD"],"id":1}',
  '{"action":"subscribe","symbols":["*"],"id":"all"}',
  '{"action":"subscribe","symbols":["EUR/*","XAU/*"],"interval_ms":200}',
  '{"action":"subscribe","symbols":["AAPL"],"fields":["price","ts"],"snapshot":false}',
  '{"action":"subscribe","symbols":["coffee","nothing","","../.."],"since":{"coffee":"a0:1","AAPL":"ffffffffffffffff:18446744073709551615"}}',
  '{"action":"unsubscribe","symbols":["coffee","E*"],"id":2}',
  '{"action":"reset","id":2}',
  '{"action":"list","id":3}',
  '{"action":"ping","id":-9223372036854775808}',
  '{"action":"heartbeat"}',
  '{"action":"auth","token":"no such token","id":5}',
  '{"action":"auth","token":"eyJhbGciOiJub25lIn0.e30.","id":5}',
  '{"action":"refresh","symbols":["coffee","FOO"],"id":6}',
  '{"action":"ping","id":"\u00e9\u{1f600}","unknown":{"a":[1,2.5,null,true]}}',
];
