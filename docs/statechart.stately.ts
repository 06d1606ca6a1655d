import { createMachine } from "xstate"

export const machine = createMachine({
  "id": "auth",
  "initial": "unauthenticated",
  "on": {
    "attempt.refused": {
      "actions": "rememberRefusal"
    }
  },
  "states": {
    "unauthenticated": {
      "description": "No session is held, and an attempt may be made.",
      "meta": {
        "toDo": "Nothing: one attempt is made for the next caller."
      },
      "initial": "idle",
      "states": {
        "idle": {
          "description": "No attempt is under way.",
          "meta": {
            "toDo": "Nothing: the attempt is made when a caller needs a session."
          },
          "on": {
            "attempt.accepted": {
              "guard": "isAwaited",
              "target": "#auth.authenticated",
              "actions": [
                "rememberSession",
                "endAttempt"
              ]
            },
            "attempt.refused": {
              "guard": "isAwaited",
              "target": "#auth.aborted",
              "actions": [
                "rememberRefusal",
                "rememberAbort",
                "notify",
                "endAttempt"
              ]
            },
            "attempt.lockedOut": {
              "guard": "isAwaited",
              "target": "#auth.locked",
              "actions": [
                "forgetAbortOf",
                "endAttempt",
                "notify"
              ]
            },
            "attempt.faulted": {
              "guard": "isAwaited",
              "target": "#auth.aborted",
              "actions": [
                "rememberAbort",
                "notify",
                "endAttempt"
              ]
            },
            "lock.reported": {
              "target": "#auth.locked",
              "actions": "notify"
            },
            "ledger.full": {
              "target": "#auth.locked",
              "actions": "notify"
            },
            "session.unauthorized": [
              {
                "guard": "isFlapping",
                "target": "#auth.aborted",
                "actions": [
                  "rememberAbort",
                  "notify",
                  "countFlap"
                ]
              },
              {
                "guard": "isElsewhere",
                "actions": "countFlap"
              }
            ],
            "attempt.reserved": {
              "guard": "canBeSent",
              "target": "attempting",
              "actions": [
                "beginAttempt",
                "sendAttempt"
              ]
            },
            "credentials.barred": {
              "target": "#auth.aborted",
              "actions": [
                "rememberAbort",
                "notify"
              ]
            }
          }
        },
        "attempting": {
          "description": "One attempt is under way. Its mark counts as a failure until it is answered.",
          "meta": {
            "toDo": "Wait: the attempt is answered, or given up, before its lease ends."
          },
          "on": {
            "attempt.accepted": {
              "guard": "isAwaited",
              "target": "#auth.authenticated",
              "actions": [
                "rememberSession",
                "endAttempt"
              ]
            },
            "attempt.refused": {
              "guard": "isAwaited",
              "target": "#auth.aborted",
              "actions": [
                "rememberRefusal",
                "rememberAbort",
                "notify",
                "endAttempt"
              ]
            },
            "attempt.lockedOut": {
              "guard": "isAwaited",
              "target": "#auth.locked",
              "actions": [
                "forgetAbortOf",
                "endAttempt",
                "notify"
              ]
            },
            "attempt.faulted": {
              "guard": "isAwaited",
              "target": "#auth.aborted",
              "actions": [
                "rememberAbort",
                "notify",
                "endAttempt"
              ]
            },
            "session.unauthorized": {
              "guard": "isElsewhere",
              "actions": "countFlap"
            },
            "attempt.lost": [
              {
                "guard": "isAwaitedAndMayContinue",
                "target": "idle",
                "actions": "giveUpAttempt"
              },
              {
                "guard": "isAwaited",
                "target": "#auth.aborted",
                "actions": [
                  "rememberAbort",
                  "notify",
                  "giveUpAttempt"
                ]
              }
            ],
            "attempt.unsent": {
              "guard": "isAwaited",
              "target": "idle",
              "actions": "endAttempt"
            }
          }
        }
      }
    },
    "authenticated": {
      "description": "A session is held, and serves every caller.",
      "meta": {
        "toDo": "Nothing."
      },
      "on": {
        "session.expired": {
          "guard": "isHeld",
          "target": "expired",
          "actions": [
            "forgetSession",
            "forgetFlaps"
          ]
        },
        "session.unavailable": {
          "guard": "isHeld",
          "target": "unauthenticated",
          "actions": [
            "leaveElsewhere",
            "forgetSession"
          ]
        },
        "session.unauthorized": [
          {
            "guard": "isFlapping",
            "target": "aborted",
            "actions": [
              "rememberAbort",
              "notify",
              "countFlap",
              "forgetSession"
            ]
          },
          {
            "guard": "isHeld",
            "target": "unauthorized",
            "actions": [
              "countFlap",
              "forgetSession"
            ]
          },
          {
            "guard": "isElsewhere",
            "actions": "countFlap"
          }
        ]
      }
    },
    "expired": {
      "description": "The session is over: Number said so (5030), or its 25 hours have passed.",
      "meta": {
        "toDo": "Nothing: one attempt is made for the next caller."
      },
      "initial": "idle",
      "states": {
        "idle": {
          "description": "No attempt is under way.",
          "meta": {
            "toDo": "Nothing: the attempt is made when a caller needs a session."
          },
          "on": {
            "attempt.accepted": {
              "guard": "isAwaited",
              "target": "#auth.authenticated",
              "actions": [
                "rememberSession",
                "endAttempt"
              ]
            },
            "attempt.refused": {
              "guard": "isAwaited",
              "target": "#auth.aborted",
              "actions": [
                "rememberRefusal",
                "rememberAbort",
                "notify",
                "endAttempt"
              ]
            },
            "attempt.lockedOut": {
              "guard": "isAwaited",
              "target": "#auth.locked",
              "actions": [
                "forgetAbortOf",
                "endAttempt",
                "notify"
              ]
            },
            "attempt.faulted": {
              "guard": "isAwaited",
              "target": "#auth.aborted",
              "actions": [
                "rememberAbort",
                "notify",
                "endAttempt"
              ]
            },
            "lock.reported": {
              "target": "#auth.locked",
              "actions": "notify"
            },
            "ledger.full": {
              "target": "#auth.locked",
              "actions": "notify"
            },
            "session.unauthorized": [
              {
                "guard": "isFlapping",
                "target": "#auth.aborted",
                "actions": [
                  "rememberAbort",
                  "notify",
                  "countFlap"
                ]
              },
              {
                "guard": "isElsewhere",
                "actions": "countFlap"
              }
            ],
            "attempt.reserved": {
              "guard": "canBeSent",
              "target": "attempting",
              "actions": [
                "beginAttempt",
                "sendAttempt"
              ]
            },
            "credentials.barred": {
              "target": "#auth.aborted",
              "actions": [
                "rememberAbort",
                "notify"
              ]
            }
          }
        },
        "attempting": {
          "description": "One attempt is under way. Its mark counts as a failure until it is answered.",
          "meta": {
            "toDo": "Wait: the attempt is answered, or given up, before its lease ends."
          },
          "on": {
            "attempt.accepted": {
              "guard": "isAwaited",
              "target": "#auth.authenticated",
              "actions": [
                "rememberSession",
                "endAttempt"
              ]
            },
            "attempt.refused": {
              "guard": "isAwaited",
              "target": "#auth.aborted",
              "actions": [
                "rememberRefusal",
                "rememberAbort",
                "notify",
                "endAttempt"
              ]
            },
            "attempt.lockedOut": {
              "guard": "isAwaited",
              "target": "#auth.locked",
              "actions": [
                "forgetAbortOf",
                "endAttempt",
                "notify"
              ]
            },
            "attempt.faulted": {
              "guard": "isAwaited",
              "target": "#auth.aborted",
              "actions": [
                "rememberAbort",
                "notify",
                "endAttempt"
              ]
            },
            "session.unauthorized": {
              "guard": "isElsewhere",
              "actions": "countFlap"
            },
            "attempt.lost": [
              {
                "guard": "isAwaitedAndMayContinue",
                "target": "idle",
                "actions": "giveUpAttempt"
              },
              {
                "guard": "isAwaited",
                "target": "#auth.aborted",
                "actions": [
                  "rememberAbort",
                  "notify",
                  "giveUpAttempt"
                ]
              }
            ],
            "attempt.unsent": {
              "guard": "isAwaited",
              "target": "idle",
              "actions": "endAttempt"
            }
          }
        }
      }
    },
    "unauthorized": {
      "description": "Number refused the session key (5050): the location's IP has changed.",
      "meta": {
        "toDo": "Nothing, if the IP did change. If this happens again, check whether two addresses share the location."
      },
      "initial": "idle",
      "states": {
        "idle": {
          "description": "No attempt is under way.",
          "meta": {
            "toDo": "Nothing: the attempt is made when a caller needs a session."
          },
          "on": {
            "attempt.accepted": {
              "guard": "isAwaited",
              "target": "#auth.authenticated",
              "actions": [
                "rememberSession",
                "endAttempt"
              ]
            },
            "attempt.refused": {
              "guard": "isAwaited",
              "target": "#auth.aborted",
              "actions": [
                "rememberRefusal",
                "rememberAbort",
                "notify",
                "endAttempt"
              ]
            },
            "attempt.lockedOut": {
              "guard": "isAwaited",
              "target": "#auth.locked",
              "actions": [
                "forgetAbortOf",
                "endAttempt",
                "notify"
              ]
            },
            "attempt.faulted": {
              "guard": "isAwaited",
              "target": "#auth.aborted",
              "actions": [
                "rememberAbort",
                "notify",
                "endAttempt"
              ]
            },
            "lock.reported": {
              "target": "#auth.locked",
              "actions": "notify"
            },
            "ledger.full": {
              "target": "#auth.locked",
              "actions": "notify"
            },
            "session.unauthorized": [
              {
                "guard": "isFlapping",
                "target": "#auth.aborted",
                "actions": [
                  "rememberAbort",
                  "notify",
                  "countFlap"
                ]
              },
              {
                "guard": "isElsewhere",
                "actions": "countFlap"
              }
            ],
            "attempt.reserved": {
              "guard": "canBeSent",
              "target": "attempting",
              "actions": [
                "beginAttempt",
                "sendAttempt"
              ]
            },
            "credentials.barred": {
              "target": "#auth.aborted",
              "actions": [
                "rememberAbort",
                "notify"
              ]
            }
          }
        },
        "attempting": {
          "description": "One attempt is under way. Its mark counts as a failure until it is answered.",
          "meta": {
            "toDo": "Wait: the attempt is answered, or given up, before its lease ends."
          },
          "on": {
            "attempt.accepted": {
              "guard": "isAwaited",
              "target": "#auth.authenticated",
              "actions": [
                "rememberSession",
                "endAttempt"
              ]
            },
            "attempt.refused": {
              "guard": "isAwaited",
              "target": "#auth.aborted",
              "actions": [
                "rememberRefusal",
                "rememberAbort",
                "notify",
                "endAttempt"
              ]
            },
            "attempt.lockedOut": {
              "guard": "isAwaited",
              "target": "#auth.locked",
              "actions": [
                "forgetAbortOf",
                "endAttempt",
                "notify"
              ]
            },
            "attempt.faulted": {
              "guard": "isAwaited",
              "target": "#auth.aborted",
              "actions": [
                "rememberAbort",
                "notify",
                "endAttempt"
              ]
            },
            "session.unauthorized": {
              "guard": "isElsewhere",
              "actions": "countFlap"
            },
            "attempt.lost": [
              {
                "guard": "isAwaitedAndMayContinue",
                "target": "idle",
                "actions": "giveUpAttempt"
              },
              {
                "guard": "isAwaited",
                "target": "#auth.aborted",
                "actions": [
                  "rememberAbort",
                  "notify",
                  "giveUpAttempt"
                ]
              }
            ],
            "attempt.unsent": {
              "guard": "isAwaited",
              "target": "idle",
              "actions": "endAttempt"
            }
          }
        }
      }
    },
    "aborted": {
      "description": "An attempt was unsuccessful, or the next one would be. Nothing more is sent.",
      "meta": {
        "toDo": "Read the reason. If the token was refused or has ended, supply a new token. Otherwise correct the cause and resume."
      },
      "on": {
        "attempt.accepted": {
          "guard": "isAwaited",
          "target": "#auth.authenticated",
          "actions": [
            "rememberSession",
            "endAttempt"
          ]
        },
        "attempt.refused": {
          "guard": "isAwaited",
          "target": "#auth.aborted",
          "actions": [
            "rememberRefusal",
            "rememberAbort",
            "notify",
            "endAttempt"
          ]
        },
        "attempt.lockedOut": {
          "guard": "isAwaited",
          "target": "#auth.locked",
          "actions": [
            "forgetAbortOf",
            "endAttempt",
            "notify"
          ]
        },
        "attempt.faulted": {
          "guard": "isAwaited",
          "target": "#auth.aborted",
          "actions": [
            "rememberAbort",
            "notify",
            "endAttempt"
          ]
        },
        "lock.reported": {
          "target": "#auth.locked",
          "actions": "notify"
        },
        "ledger.full": {
          "target": "#auth.locked",
          "actions": "notify"
        },
        "attempt.unsent": {
          "guard": "isAwaited",
          "target": "unauthenticated",
          "actions": [
            "endAttempt",
            "forgetAborts"
          ]
        },
        "credentials.replaced": {
          "guard": "canBeReplaced",
          "target": "unauthenticated",
          "actions": "leaveAbort"
        },
        "attempt.resumed": {
          "guard": "canResume",
          "target": "unauthenticated",
          "actions": [
            "forgetAborts",
            "forgetTokenEnd"
          ]
        }
      }
    },
    "locked": {
      "description": "The location makes no attempt: Number reported its IP as locked, or the count has reached the limit.",
      "meta": {
        "toDo": "Correct the cause of the failures, ask Number's support to lift the lock, then confirm that it is lifted."
      },
      "on": {
        "attempt.accepted": {
          "guard": "isAwaited",
          "target": "#auth.authenticated",
          "actions": [
            "rememberSession",
            "endAttempt"
          ]
        },
        "attempt.lockedOut": {
          "guard": "isAwaited",
          "actions": [
            "forgetAbortOf",
            "endAttempt"
          ]
        },
        "attempt.unsent": {
          "guard": "isAwaited",
          "actions": [
            "endAttempt",
            "forgetAborts"
          ]
        },
        "lock.lifted": [
          {
            "guard": "isStillAborted",
            "target": "aborted"
          },
          {
            "target": "unauthenticated",
            "actions": "forgetAborts"
          }
        ]
      }
    }
  }
})
