import { assert, describe, it } from "@effect/vitest"
import { Exit } from "effect"
import * as fc from "effect/FastCheck"
import * as AuthCommands from "../../src/testing/AuthCommands.js"

const seed = 11

describe("commands for fc.asyncModelRun", { timeout: 300_000 }, () => {
  it("agree with the real NumberAuth, also beside a custom command, and reach every state", async () => {
    const reached = new Set<string>()
    let looked = 0
    interface MyModel extends AuthCommands.Model {
      looks: number
    }
    const look: fc.AsyncCommand<MyModel, AuthCommands.Real> = {
      check: () => true,
      run: async (model, { auth, run }) => {
        model.looks += 1
        looked += 1
        reached.add(model.session)
        assert.isTrue(Exit.isSuccess(await run(auth.status, 0)))
      },
      toString: () => "look"
    }
    const arbitraries: Array<fc.Arbitrary<fc.AsyncCommand<MyModel, AuthCommands.Real>>> = [
      ...AuthCommands.all,
      fc.constant(look)
    ]
    const commands = fc.commands(arbitraries, { size: "max", maxCommands: 40 })
    await fc.assert(
      fc.asyncProperty(commands, async (given) => {
        await fc.asyncModelRun(() => {
          const { model, real } = AuthCommands.setup()
          return { model: { ...model, looks: 0 }, real }
        }, given)
      }),
      { seed, numRuns: 60 }
    )
    assert.isAbove(looked, 20)
    assert.sameMembers([...reached], ["none", "held", "aborted", "locked"])
  })

  it("find a wrong library: one whose resume does not resume", async () => {
    const found = await fc.check(
      fc.asyncProperty(
        fc.commands([...AuthCommands.all], { size: "max", maxCommands: 40 }),
        async (given) => {
          await fc.asyncModelRun(() => {
            const { model, real } = AuthCommands.setup()
            return { model, real: { ...real, auth: { ...real.auth, resume: real.auth.status } } }
          }, given)
        }
      ),
      { seed, numRuns: 60 }
    )
    assert.isTrue(found.failed)
    assert.include(String(found.errorInstance), "resume")
  })
})
