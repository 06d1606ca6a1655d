import { NodeContext, NodeHttpClient, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Schema } from "effect"
import {
  AuthNotifier,
  CredentialProvider,
  NumberAuth,
  NumberClient,
  NumberTransport
} from "effect-number-auth"
import * as Store from "effect-number-auth/store"

const accountProfile = NumberClient.method(
  "Query/AccountProfile", // below NUMBER_BASE_URL
  Schema.Void, // no parameters, no body
  Schema.Struct({ AccountProfile: Schema.Struct({ AccountCode: Schema.String }), RespMsg: Schema.String }),
  { name: "AccountProfileQry" } // answered under AccountProfileQryResult
)

const voidTransaction = NumberClient.method(
  "CardSale/Void",
  Schema.Struct({ TxID: Schema.Int }),
  Schema.Struct({ TxApproved: Schema.Boolean, RespMsg: Schema.String }),
  { name: "Transaction_Void", timeout: "30 seconds" }
)

const program = Effect.gen(function* () {
  const { AccountProfile, RespMsg } = yield* accountProfile()
  yield* Console.log(`${AccountProfile.AccountCode}: ${RespMsg}`)
  yield* voidTransaction({ TxID: 53000 }).pipe(
    Effect.flatMap(({ RespMsg }) => Console.log(RespMsg)),
    // FunctionOk is false: it was not carried out. CallUncertain would mean: query before you try again.
    Effect.catchTag("MethodFailed", (error) => Console.log(error.message))
  )
})

const NumberLive = NumberAuth.layerConfig().pipe(
  Layer.provide(NumberTransport.layerRestConfig()),
  Layer.provide(CredentialProvider.layerConfig()),
  Layer.provide(AuthNotifier.layerLog),
  Layer.provide(Store.layerConfig()), // NUMBER_STORE_URL
  Layer.provide([NodeHttpClient.layer, NodeContext.layer])
)

NodeRuntime.runMain(program.pipe(Effect.provide(NumberLive)))
