import { loadSync } from '@grpc/proto-loader';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { join } from 'node:path';
import { packageRoot } from '../../core/paths.js';
import type { ProtoGrpcType as CoordinatorTypes } from './generated/coordinator.js';
import type { CoordinatorDefinition } from './generated/lockstep/v1/Coordinator.js';
import type { ExchangeDefinition } from './generated/lockstep/v1/Exchange.js';
import type { GateDefinition } from './generated/lockstep/v1/Gate.js';
import type { ProtoGrpcType as ExchangeTypes } from './generated/exchange.js';
import type { ProtoGrpcType as GateTypes } from './generated/gate.js';

// The same options as in scripts/proto.mjs, which generates the types.
const definition = loadSync(['coordinator.proto', 'exchange.proto', 'gate.proto'], {
  includeDirs: [join(packageRoot, 'proto')],
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
});

const types = loadPackageDefinition(definition) as unknown as CoordinatorTypes & ExchangeTypes & GateTypes;

export const CoordinatorClient = types.lockstep.v1.Coordinator;
export const coordinatorService: CoordinatorDefinition = types.lockstep.v1.Coordinator.service;

export const GateClient = types.lockstep.v1.Gate;
export const gateService: GateDefinition = types.lockstep.v1.Gate.service;

/** `Exchange`, of which we write and read frames by hand: frame-codec.ts, exchange-server.ts. */
export const exchangeProtoService: ExchangeDefinition = types.lockstep.v1.Exchange.service;
