/**
 * The text of `number-auth --help`. @effect/cli makes the help of each single command.
 */
import { defaultBaseUrl } from "../services/wire/NumberTransport.js"

/**
 * @since 0.1.0
 * @category help
 */
export const help = (version: string): string => `number-auth ${version}
Hold a session with the Number payments backend, and never lock the location out.

Usage: number-auth COMMAND [flags]        number-auth COMMAND --help shows the flags

  login            Obtain a session, or find the one that is held: one attempt at most.
                   --show-key prints the session key.
  status           Show the state of the account and the location's count. Sends nothing.
  doctor           Check settings, token, store, clock, network, count and account, and say what to do.
                   Makes no attempt and changes nothing.
  request PATH     Send one call with the session key and print Number's answer.
                   --data JSON is its body; --data - reads it from standard input.
  resume           After an abort, unless Number refused the token: allow one more attempt.
  lock-lifted      Confirm that Number's support has lifted the lock of the IP and reset its count.
                   If this is not true, the next attempts can lock the location.
  rekey            Seal all stored session keys again, under NUMBER_STORE_KEY. --discard deletes those
                   that no key opens. Sends nothing.
  emulator         Run the Number emulator on this machine, and print the environment variables for it.
  simulate         Simulate years of a location, with crashes and faults, against the emulator. --seed,
                   --years, --naive, --replay TRACE. Needs no settings and sends nothing.
  inspect          Show the store's accounts live in a browser: chart, count, sessions. Changes nothing.
                   --trace FILE shows a trace instead: of a program, simulate or a property test.

With --json the last line of standard output is one JSON object, errors too.

Settings (flags win over the environment):

  NUMBER_ACCOUNT_CODE     --account          2 letters and 7 digits, such as EP9116875
  NUMBER_TOKEN            --token-file PATH  32 hexadecimal characters. There is no flag for the
                                             token: the process list shows the command line.
                                             status, resume and lock-lifted need no token.
  NUMBER_LOCATION         --location         your name for the egress IP. Everything that shares the
                                             IP uses the same name and store. Default: default
  NUMBER_BASE_URL         --base-url         default: ${defaultBaseUrl}
  NUMBER_STORE_URL        --store            file:… of the store of the count and the session.
                                             Default: a file in the user's state folder
  NUMBER_STORE_KEY                           base64 of 32 bytes: seals session keys in the store. Default:
                                             a key file beside a file store. Without the setting,
                                             PostgreSQL does not store session keys
  NUMBER_STORE_KEY_OLD                       older keys, separated by commas. They only open
  NUMBER_INSPECT_SECRET                      the password of inspect's page, at least 16 characters.
                                             Without it, --host takes only this machine
  NUMBER_ATTEMPT_TIMEOUT  --attempt-timeout  a duration, default: 30 seconds
  NUMBER_LIMIT            --limit            unsuccessful attempts in a row, 1 to 5, default: 5

Exit codes:

   0  done
   1  Number refused the call of request. Authentication is fine
  70  a bug in this program, or a promise that simulate saw broken
  75  try again later: unreachable, busy, or the store is away
  77  aborted, locked, not allowed, or outcome not known: a person is needed, do not restart
  78  a setting is missing or malformed
 130  ended by SIGINT, 143 by SIGTERM; an attempt under way was settled first`
