// Instants in zones, and typed times: also where clocks change.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readDuration, readLength, readTyped, whichOf } from "../static/typed.js";
import { formatInstant, formatOffset, instantsOf, isZone, zoneNames } from "../static/zones.js";

const MADRID = "Europe/Madrid";
const at = (text) => Date.parse(text);
const NOW = "2026-05-03T22:30:00.250Z";

for (const [name, text, zone, shown] of [
  ["UTC", "2026-05-01T11:59:50.033Z", "UTC", "2026-05-01 11:59:50.033 UTC"],
  ["summer", "2026-05-01T11:59:50.033Z", MADRID, "2026-05-01 13:59:50.033 +02:00"],
  ["winter", "2026-01-31T23:30:00.001Z", MADRID, "2026-02-01 00:30:00.001 +01:00"],
  ["the last ms before clocks go forward", "2026-03-29T00:59:59.999Z", MADRID, "2026-03-29 01:59:59.999 +01:00"],
  ["the first ms after", "2026-03-29T01:00:00.000Z", MADRID, "2026-03-29 03:00:00.000 +02:00"],
  ["a quarter of an hour", "2026-05-01T00:00:00Z", "Asia/Kathmandu", "2026-05-01 05:45:00.000 +05:45"],
  ["west", "2026-05-01T00:00:00Z", "America/St_Johns", "2026-04-30 21:30:00.000 -02:30"],
]) {
  test(`an instant is shown: ${name}`, () => assert.equal(formatInstant(at(text), zone), shown));
}

for (const [name, text, zone, expected] of [
  ["to the ms", "2026-05-01 13:59:50.033", MADRID, "2026-05-01T11:59:50.033Z"],
  ["a tenth", "2026-05-01 13:59:50.1", MADRID, "2026-05-01T11:59:50.100Z"],
  ["a comma", "2026-05-01 13:59:50,5", MADRID, "2026-05-01T11:59:50.500Z"],
  ["as ISO 8601", "2026-05-01T13:59:50Z", MADRID, "2026-05-01T13:59:50Z"],
  ["with an offset", "2026-05-01 13:59 -0330", MADRID, "2026-05-01T17:29:00Z"],
  ["a date", "2026-05-02", MADRID, "2026-05-01T22:00:00Z"],
  ["a time of the same day", "8:05", MADRID, "2026-05-01T06:05:00Z"],
  ["epoch ms", "1777636790033", MADRID, "2026-05-01T11:59:50.033Z"],
  ["epoch s", "1777636790", MADRID, "2026-05-01T11:59:50Z"],
  ["a leap day", "2028-02-29 00:00", "UTC", "2028-02-29T00:00:00Z"],
  ["the present", "now", MADRID, NOW],
  ["before the present", "now-10m", MADRID, "2026-05-03T22:20:00.250Z"],
  ["before it, with spaces", "Now - 1h 30 min", MADRID, "2026-05-03T21:00:00.250Z"],
  ["after it", "now+1m30s", MADRID, "2026-05-03T22:31:30.250Z"],
  ["today, which has begun in the zone", "today 8:05", MADRID, "2026-05-04T06:05:00Z"],
  ["yesterday", "yesterday 23:10", MADRID, "2026-05-03T21:10:00Z"],
  ["yesterday in UTC", "Yesterday 23:10", "UTC", "2026-05-02T23:10:00Z"],
  ["yesterday's first moment", "yesterday", MADRID, "2026-05-02T22:00:00Z"],
]) {
  test(`a typed time is read: ${name}`, () => {
    const read = readTyped(text, zone, at("2026-05-01T12:00:00Z"), at(NOW));
    assert.deepEqual(read, { ms: at(expected) });
  });
}

for (const [name, text, pattern] of [
  ["nothing", "", /no time/],
  ["words", "noon", /no time/],
  ["a word that begins like the present", "nowhere", /no time/],
  ["a word that begins like a day", "todays 8:05", /no time/],
  ["no duration before the present", "now-soon", /no duration.*now-10m/],
  ["a fraction of no second", "12:00.5", /no time/],
  ["no such date", "2026-02-29 12:00", /no such date/],
  ["no such month", "2026-13-01", /no such date/],
  ["no such hour", "24:00", /00:00:00 to 23:59:59/],
  ["no such minute", "12:60", /00:00:00 to 23:59:59/],
  ["an hour that clocks skip", "2026-03-29 02:30", /no 02:30 on 2026-03-29: clocks go from 02:00 to 03:00 \(\+02:00\)/],
]) {
  test(`a typed time is refused with the reason: ${name}`, () => {
    const { fault } = readTyped(text, MADRID, at("2026-05-01T12:00:00Z"), at(NOW));
    assert.match(fault, pattern);
  });
}

test("a day that a zone skips has no instants", () => {
  assert.deepEqual(instantsOf({ year: 2011, month: 12, day: 30, hour: 12 }, "Pacific/Apia"), []);
});

test("a time that exists twice is the one closest to the present one", () => {
  const twice = [at("2026-10-25T00:30:00Z"), at("2026-10-25T01:30:00Z")];
  for (const [near, ms] of [["2026-10-25T00:00:00Z", twice[0]], ["2026-10-25T03:00:00Z", twice[1]]]) {
    assert.deepEqual(readTyped("2026-10-25 02:30", MADRID, at(near), at(NOW)), { ms, instants: twice });
  }
  assert.equal(whichOf(twice[0], MADRID), "the first of two");
  assert.equal(whichOf(twice[1], MADRID), "the second of two");
  assert.equal(whichOf(at("2026-10-25T02:30:00Z"), MADRID), "");
  assert.equal(formatOffset(twice[1], MADRID), "+01:00");
});

test("every instant of a year of clock changes is found again by its reading", () => {
  for (const zone of [MADRID, "America/New_York", "Australia/Lord_Howe", "America/St_Johns"]) {
    for (let ms = at("2026-01-01"); ms < at("2027-01-01"); ms += 3_456_789) {
      const shown = formatInstant(ms, zone).slice(0, 23);
      const { ms: read, instants } = readTyped(shown, zone, ms, at(NOW));
      assert.equal(read, ms, `${zone} ${shown}`);
      assert.ok(!instants || instants.includes(ms));
    }
  }
});

test("a zone is what the browser knows", () => {
  assert.ok(isZone(MADRID) && isZone("UTC") && zoneNames()[0] === "UTC");
  for (const text of ["Europe/Madri", "", "javascript:1", "+02:00", "a b"]) assert.ok(!isZone(text), text);
});

for (const [text, ms] of [
  ["30", 30_000], ["1.5 s", 1500], ["2 min", 120_000], ["1 min 2.5 s", 62_500], ["1:30", 90_000],
  ["1:00:00.5", 3_600_500], ["250 ms", 250], ["1 h", 3_600_000],
  ["", null], ["0", null], ["-3", null], ["3 weeks", null], ["1 2 x", null],
]) {
  test(`a duration is read: "${text}"`, () => assert.equal(readDuration(text), ms));
}

for (const [text, expected] of [
  ["1:30", { ms: 90_000 }],
  ["24 h", { ms: 86_400_000 }],
  ["abc", { fault: "This is no length. Type it as 30 s, 1 min 30 s, or 1:30." }],
  ["0", { fault: "This is no length. Type it as 30 s, 1 min 30 s, or 1:30." }],
  ["", { fault: "This is no length. Type it as 30 s, 1 min 30 s, or 1:30." }],
  ["24h 1ms", { fault: "This is longer than a day. Type a shorter length." }],
]) {
  test(`a length is read, or refused with the remedy: ${text}`, () => {
    assert.deepEqual(readLength(text), expected);
  });
}
