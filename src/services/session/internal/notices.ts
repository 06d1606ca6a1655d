/**
 * The notices of an account that people have yet to get.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Step } from "../../../machine/AuthCore.js"
import * as Ledger from "../../../machine/Ledger.js"
import { type AuthNotice, type AuthNotifier, makeNotice } from "../AuthNotifier.js"
import type { SharedByAccounts } from "./SharedByAccounts.js"
import { undisturbed } from "../../common/within.js"
import { standingOf } from "./accountLedger.js"
import type { Settings } from "./settings.js"

/** The owner of the notices of an account. */
export interface Notices {
  /** The notices that a step calls for. A lock concerns all accounts of the location, and one of them announces it. */
  readonly ofStep: (step: Step) => ReadonlyArray<AuthNotice>
  /** Keeps notices until `notify` runs. */
  readonly add: (notices: ReadonlyArray<AuthNotice>) => void
  /** Gives every added notice to the notifier. An interruption does not stop it. */
  readonly notify: Effect.Effect<void>
}

/** Makes the owner of an account's notices. */
export const makeNotices = (given: {
  readonly settings: Settings
  readonly notifier: AuthNotifier["Type"]
  readonly shared: Pick<SharedByAccounts["Type"], "announcesLock" | "lockNoticeInstead">
}): Notices => {
  const { shared, notifier, settings } = given
  let pending: ReadonlyArray<AuthNotice> = []

  const hand = (notice: AuthNotice): Effect.Effect<void> =>
    Effect.suspend(() => notifier.notify(notice)).pipe(
      // The notifier's error is not logged: it may hold a secret. It is caught inside its own fiber, since the end of a
      // fiber is logged.
      Effect.exit,
      Effect.disconnect,
      Effect.interruptible,
      Effect.timeoutTo({ duration: "10 seconds", onSuccess: Exit.isSuccess, onTimeout: () => false }),
      Effect.flatMap((isNotified) => {
        if (isNotified) return Effect.void
        const instead = notice.notice.kind === "locked" ? shared.lockNoticeInstead() : null
        return Effect.zipRight(
          // A logger that throws must not hold up the notices that follow.
          Effect.catchAllDefect(
            Effect.logError(
              `The notifier failed to tell people that account ${notice.standing.account} needs them (${notice.notice.kind}).`
            ),
            () => Effect.void
          ),
          instead === null ? Effect.void : hand(instead)
        )
      })
    )

  return {
    ofStep: (step) => {
      const lock = Ledger.lockOf(step.ledger, settings.policy)
      return step.notices
        .map((notice) => makeNotice(notice, standingOf(settings, step.ledger)))
        .filter(
          (notice) => notice.notice.kind !== "locked" || lock === null || shared.announcesLock(lock, notice)
        )
    },
    add: (notices) => {
      pending = [...pending, ...notices]
    },
    notify: Effect.suspend(() => {
      // Usually there is no notice, and no fiber has to start.
      if (pending.length === 0) return Effect.void
      return undisturbed(
        // Taken inside that fiber: an interruption before it starts must not lose the notices.
        Effect.suspend(() => {
          const notices = pending
          pending = []
          return Effect.forEach(notices, hand, { discard: true })
        })
      )
    })
  }
}
