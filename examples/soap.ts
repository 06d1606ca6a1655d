import { NodeContext, NodeHttpClient, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Schema } from "effect"
import { AuthNotifier, CredentialProvider, NumberAuth } from "effect-number-auth"
import { Answers, SoapClient, SoapTransport } from "effect-number-auth/soap"
import * as Store from "effect-number-auth/store"

const NumberLive = SoapClient.layerConfig().pipe(
  Layer.provideMerge(NumberAuth.layerConfig()),
  Layer.provide(SoapTransport.layerConfig()), // attempts over SOAP too
  Layer.provide(CredentialProvider.layerConfig()),
  Layer.provide(AuthNotifier.layerLog),
  Layer.provide(Store.layerConfig()), // NUMBER_STORE_URL
  Layer.provide([NodeHttpClient.layer, NodeContext.layer])
)

const Voided = Schema.Struct({ TxApproved: Answers.SoapBoolean, RespMsg: Schema.String })

const program = Effect.gen(function* () {
  const soap = yield* SoapClient.SoapClient
  yield* Console.log(yield* soap.method("Transaction_Void", { TxID: 53000 }, Voided))
})

NodeRuntime.runMain(program.pipe(Effect.provide(NumberLive)))
