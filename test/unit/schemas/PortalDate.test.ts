import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck, Schema } from "effect"
import { PortalDate } from "../../../src/schemas/PortalDate.js"

const decode = Schema.decodeUnknownEither(PortalDate)
const encode = Schema.encodeSync(PortalDate)

const reads = (table: ReadonlyArray<readonly [string, string]>) => {
  for (const [text, expected] of table) {
    const millis = Either.getOrElse(decode(text), () => NaN)
    assert.strictEqual(millis, Date.parse(expected), text)
  }
}

const refuses = (texts: ReadonlyArray<unknown>) => {
  for (const text of texts) assert.isTrue(Either.isLeft(decode(text)), `accepted ${String(text)}`)
}

describe("PortalDate", () => {
  it("reads ISO 8601 in UTC and with an offset", () => {
    reads([
      ["2024-12-01T11:19:01.000Z", "2024-12-01T11:19:01.000Z"],
      ["2024-12-01T11:19:01Z", "2024-12-01T11:19:01.000Z"],
      ["2019-09-11T16:12:00-04:00", "2019-09-11T20:12:00.000Z"],
      ["2019-09-11T16:12:00+05:30", "2019-09-11T10:42:00.000Z"],
      [" 2024-12-01T11:19:01Z ", "2024-12-01T11:19:01.000Z"],
      ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"]
    ])
  })

  it("reads ISO 8601 without a zone as UTC, whatever the time zone of the machine", () => {
    const zone = process.env["TZ"]
    try {
      for (const tz of ["UTC", "America/New_York", "Asia/Kolkata"]) {
        process.env["TZ"] = tz
        reads([
          ["2024-12-01T11:19:01", "2024-12-01T11:19:01.000Z"],
          ["2024-12-01T11:19:01.123", "2024-12-01T11:19:01.123Z"],
          ["2024-12-01T11:19", "2024-12-01T11:19:00.000Z"]
        ])
      }
    } finally {
      if (zone === undefined) delete process.env["TZ"]
      else process.env["TZ"] = zone
    }
  })

  it("reads WCF's /Date(ms)/, and ignores its offset", () => {
    reads([
      ["/Date(1733051941000)/", "2024-12-01T11:19:01.000Z"],
      ["/Date(1733051941000-0400)/", "2024-12-01T11:19:01.000Z"],
      ["/Date(1733051941000+0530)/", "2024-12-01T11:19:01.000Z"],
      ["/Date(-1000)/", "1969-12-31T23:59:59.000Z"],
      ["/Date(0)/", "1970-01-01T00:00:00.000Z"]
    ])
  })

  it("reads the portal's US form as UTC, with 12 AM as midnight and 12 PM as noon", () => {
    reads([
      ["11/22/2026 1:59:54 PM", "2026-11-22T13:59:54.000Z"],
      ["11/22/2026 12:00:00 AM", "2026-11-22T00:00:00.000Z"],
      ["11/22/2026 12:30:00 AM", "2026-11-22T00:30:00.000Z"],
      ["11/22/2026 12:00:00 PM", "2026-11-22T12:00:00.000Z"],
      ["11/22/2026 11:59:59 pm", "2026-11-22T23:59:59.000Z"],
      ["4/8/2019 7:29:47 AM", "2019-04-08T07:29:47.000Z"],
      ["04/08/2019 07:29:47 AM", "2019-04-08T07:29:47.000Z"],
      ["2/29/2024 1:00:00 AM", "2024-02-29T01:00:00.000Z"]
    ])
  })

  it("refuses days that do not exist, instead of rolling over", () => {
    refuses([
      "2/30/2026 1:00:00 AM",
      "2/29/2026 1:00:00 AM",
      "4/31/2026 1:00:00 AM",
      "13/1/2026 1:00:00 AM",
      "22/11/2026 1:00:00 AM",
      "0/22/2026 1:00:00 AM",
      "11/0/2026 1:00:00 AM",
      "11/32/2026 1:00:00 AM",
      "2026-02-30T00:00:00Z",
      "2026-04-31T12:00:00.000Z",
      "2026-02-29T12:00:00+02:00",
      "2026-13-01T00:00:00Z",
      "2026-00-10T00:00:00Z",
      "2026-01-01T25:00:00Z"
    ])
  })

  it("refuses times that a twelve-hour clock does not have, and US dates without AM or PM", () => {
    refuses([
      "11/22/2026 0:30:00 AM",
      "11/22/2026 13:30:00 PM",
      "11/22/2026 1:60:00 PM",
      "11/22/2026 1:00:60 PM",
      "11/22/2026 1:00:00",
      "11/22/2026"
    ])
  })

  it("refuses anything that is not a date in one of Number's forms", () => {
    refuses([
      "",
      "tomorrow",
      "2024",
      "1733051941000",
      "2024-12-01",
      "2024-12-01T11:19:01Zulu",
      "2024-12-01T11:19 garbage",
      "/Date(abc)/",
      "/Date(1733051941000)",
      "Date(1733051941000)",
      "/Date(9999999999999999999)/",
      "Sun, 01 Dec 2024 11:19:01 GMT",
      1733051941000,
      null,
      undefined,
      {},
      new Date()
    ])
  })

  it("encodes to ISO 8601, and decodes its own encoding", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }),
        (date) => {
          const text = encode(date.getTime())
          assert.strictEqual(text, date.toISOString())
          assert.deepStrictEqual(decode(text), Either.right(date.getTime()))
        }
      )
    )
  })
})
