const test = require('node:test');
const assert = require('node:assert');
test('adds', () => assert.equal(1 + 1, 2));
test('cart', async (t) => {
  await t.test('tax', () => { assert.equal(9, 7); });
  await t.test('fine', () => {});
});
test('later', { skip: true }, () => {});
