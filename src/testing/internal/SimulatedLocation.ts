/**
 * A location in virtual time: the emulator as its backend, the tokens of its accounts, and the store that all of its
 * processes share.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { AccountKey, AuthStore, Stored, Write } from "../../services/store/AuthStore.js"
import * as NumberEmulator from "../NumberEmulator.js"
import * as ProcessGates from "../ProcessGates.js"
import type * as VirtualClock from "../VirtualClock.js"
import * as TokenBook from "./TokenBook.js"

export interface Options {
  readonly clock: VirtualClock.VirtualClock
  readonly accounts: ReadonlyArray<string>
  /** How the backend counts. Default: as the emulator does. */
  readonly backend?: Pick<NumberEmulator.Options, "counting" | "successClears" | "faultsCount"> | undefined
  readonly store: AuthStore["Type"]
  /** How long the first tokens live, in milliseconds. Default: for ever. */
  readonly tokenLifeMillis?: number | undefined
  /** Sees every write before it is made. */
  readonly onWrite: (key: AccountKey, before: Stored, write: Exclude<Write, null>) => void
}

export interface SimulatedLocation {
  readonly accounts: ReadonlyArray<string>
  readonly clock: VirtualClock.VirtualClock
  readonly emulator: NumberEmulator.NumberEmulator["Type"]
  readonly tokens: TokenBook.TokenBook
  /** The store that all processes share. It is away while {@link SimulatedLocation.absence} lasts. */
  readonly store: AuthStore["Type"]
  readonly absence: ProcessGates.Absence
  /** Begins an effect, whatever comes of it. */
  readonly fork: <A, E>(effect: Effect.Effect<A, E>) => void
  /** The location gets a new address, and returns it. A former address does not come back. */
  readonly moveAddress: () => string
  /** Support sets the count of every address to zero. */
  readonly liftLocks: () => void
  /** Whether Number has locked an address. */
  readonly isLocked: () => boolean
  readonly closeBackend: () => void
}

const watching = (store: AuthStore["Type"], onWrite: Options["onWrite"]): AuthStore["Type"] => ({
  ...store,
  transact: (key, decide) =>
    store.transact(key, (stored) => {
      const decided = decide(stored)
      if (decided[1] !== null) onWrite(key, stored, decided[1])
      return decided
    })
})

export const make = (options: Options): SimulatedLocation => {
  const { accounts, clock } = options
  const addresses = ["203.0.113.0"]
  const scope = clock.run(Scope.make())
  const emulator = clock.run(
    Scope.extend(NumberEmulator.make({ ...options.backend, ip: addresses[0]! }), scope)
  )
  const absence = ProcessGates.makeAbsence()
  return {
    accounts,
    clock,
    emulator,
    tokens: TokenBook.make(accounts, emulator, clock, options.tokenLifeMillis),
    store: absence.store(watching(options.store, options.onWrite)),
    absence,
    fork: (effect) => void clock.fork(Effect.exit(effect)),
    moveAddress: () => {
      const address = `203.0.113.${addresses.length}`
      addresses.push(address)
      clock.run(emulator.setIp(address))
      return address
    },
    liftLocks: () => addresses.forEach((address) => clock.run(emulator.liftLock(address))),
    isLocked: () => addresses.some((address) => clock.run(emulator.isLocked(address))),
    closeBackend: () => clock.run(Scope.close(scope, Exit.void))
  }
}
