/**
 * The people of a life. A notice waits in their inbox until it is due, and a person acts on it then: honestly, but not
 * always rightly at first.
 */
import * as Effect from "effect/Effect"
import type { Notify, Processes } from "./processes.js"
import { minute, quietMillis, tokenLifeMillis, type World } from "./world.js"

interface Letter {
  readonly account: number
  readonly kind: string
  readonly dueMillis: number
}

export interface People {
  readonly notify: Notify
  /** A person acts on a notice that is due, if there is one. */
  readonly act: (processes: Processes) => void
}

/** Support lifts the lock, and a person confirms it. A request since then would make that untrue. */
const confirmLift = (world: World, processes: Processes, letter: Letter): Letter | null => {
  const { chance, clock, location, log } = world
  const { account } = letter
  const { confirmLockLifted } = processes.clientOf(processes.draw(), account)
  log.count("operator: lock lifted")
  clock.advance(quietMillis)
  location.liftLocks()
  const seen = clock.run(location.emulator.requestsSeen)
  clock.advance(chance.between(0, 10) * minute)
  if (clock.run(location.emulator.requestsSeen) !== seen) return { ...letter, dueMillis: 0 }
  log.note("lock lifted", { account: location.accounts[account]! })
  location.fork(confirmLockLifted)
  return null
}

/** A person resumes, or brings a good token first. */
const lookIntoAbort = (world: World, processes: Processes, { account }: Letter): void => {
  const { chance, clock, location, log } = world
  const { fork, tokens } = location
  const { replaceCredentials, resume } = processes.clientOf(processes.draw(), account)
  log.count("operator: abort looked into")
  if (chance.below(4) === 0) {
    log.note("resume", { account: location.accounts[account]! })
    return fork(resume)
  }
  if (tokens.supplied(account) === tokens.good(account)) tokens.issue(account, tokenLifeMillis)
  log.note("good token", { account: location.accounts[account]! })
  fork(replaceCredentials(tokens.good(account)))
  clock.advance(1000)
  fork(resume)
}

export const makePeople = (world: World): People => {
  const { chance, clock, location, log } = world
  const inbox: Array<Letter> = []
  return {
    notify:
      (account) =>
      ({ notice }) =>
        Effect.sync(() => {
          log.note("notified", { account: location.accounts[account]!, detail: notice.kind })
          if (notice.kind !== "aborted" && notice.kind !== "locked") return
          const dueMillis = clock.steadyMillis() + chance.between(10, 48 * 60) * minute
          inbox.push({ account, kind: notice.kind, dueMillis })
        }),
    act: (processes) => {
      const due = inbox.findIndex(({ dueMillis }) => dueMillis <= clock.steadyMillis())
      if (due < 0) return
      const letter = inbox.splice(due, 1)[0]!
      if (letter.kind !== "locked") return lookIntoAbort(world, processes, letter)
      const later = confirmLift(world, processes, letter)
      if (later !== null) inbox.push(later)
    }
  }
}
