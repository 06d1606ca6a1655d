import { assert, describe, it } from "@effect/vitest"
import { Duration, Either } from "effect"
import { defaultPolicy } from "../../../../../src/machine/Policy.js"
import {
  decodeLocationSettings,
  decodeSettings
} from "../../../../../src/services/session/internal/settings.js"
import { defaultBaseUrl } from "../../../../../src/services/wire/http/baseUrl.js"
import { settingsOf } from "./organs.js"

describe("the settings of an account", () => {
  it("have the documented defaults", () => {
    const { account, attemptTimeout, baseUrl, location, policy, waitTimeout } = settingsOf()
    assert.deepStrictEqual({ account, baseUrl, location, policy }, {
      account: "EP0000001",
      baseUrl: defaultBaseUrl,
      location: "default",
      policy: defaultPolicy
    } as never)
    assert.strictEqual(Duration.toMillis(attemptTimeout), 30_000)
    assert.strictEqual(Duration.toMillis(waitTimeout), 50_000)
  })

  it("take the lease from the time-out of attempts, and the wait from the lease", () => {
    const { policy, waitTimeout } = settingsOf({ attemptTimeout: "1 minute" })
    assert.strictEqual(policy.leaseMillis, 75_000)
    assert.strictEqual(Duration.toMillis(waitTimeout), 80_000)
    assert.strictEqual(settingsOf({ leaseDuration: "2 minutes" }).policy.leaseMillis, 120_000)
  })

  it("let a test have any drain time, and no other program", () => {
    const options = { account: "EP0000001", drainTime: 1 }
    assert.isTrue(Either.isLeft(decodeSettings(options)))
    assert.strictEqual(Either.getOrThrow(decodeSettings(options, true)).policy.drainMillis, 1)
    assert.isTrue(Either.isLeft(decodeLocationSettings(options)))
    assert.isTrue(Either.isRight(decodeLocationSettings(options, true)))
  })

  it("drain for five minutes, or for the lease if that is longer", () => {
    assert.strictEqual(settingsOf().policy.drainMillis, 300_000)
    assert.strictEqual(settingsOf({ leaseDuration: "10 minutes" }).policy.drainMillis, 600_000)
  })

  it("are refused with the name of the option that is wrong", () => {
    const fieldOf = (options: Parameters<typeof decodeLocationSettings>[0]) =>
      Either.match(decodeLocationSettings(options), { onLeft: ({ field }) => field, onRight: () => null })
    assert.strictEqual(fieldOf({ attemptTimeout: 0 }), "attempt time-out")
    assert.strictEqual(fieldOf({ leaseDuration: Duration.infinity }), "attempt time-out")
    assert.strictEqual(fieldOf({ attemptTimeout: 5000, leaseDuration: 5000 }), "lease duration")
    assert.strictEqual(fieldOf({ limit: 6 }), "policy")
    assert.strictEqual(fieldOf({ drainTime: -1 }), "policy")
    assert.strictEqual(fieldOf({ drainTime: 59_999 }), "drain time")
    assert.strictEqual(fieldOf({ drainTime: "1 minute" }), null)
    assert.strictEqual(fieldOf({ drainTime: "1 minute", leaseDuration: 60_001 }), "drain time")
    assert.strictEqual(fieldOf({ leaseDuration: "10 minutes" }), null)
    assert.strictEqual(fieldOf({ baseUrl: "http://number.test" }), "base URL")
    assert.strictEqual(fieldOf({ limit: 5 }), null)
    assert.isTrue(Either.isLeft(decodeSettings({ account: "EP1" })))
  })
})
