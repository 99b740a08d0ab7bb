import { loadSync } from '@grpc/proto-loader';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { join } from 'node:path';
import { packageRoot } from '../../core/paths.js';
import type { ProtoGrpcType as CoordinatorTypes } from './generated/coordinator.js';
import type { CoordinatorDefinition } from './generated/lockstep/v1/Coordinator.js';
import type { DoctorDefinition } from './generated/lockstep/v1/Doctor.js';
import type { ExchangeDefinition } from './generated/lockstep/v1/Exchange.js';
import type { GateDefinition } from './generated/lockstep/v1/Gate.js';
import type { ProtoGrpcType as DoctorTypes } from './generated/doctor.js';
import type { ProtoGrpcType as ExchangeTypes } from './generated/exchange.js';
import type { ProtoGrpcType as GateTypes } from './generated/gate.js';

/** Everything that is said; with the same options as in scripts/proto.mjs, which generates the types. */
export const definition = loadSync(['coordinator.proto', 'doctor.proto', 'exchange.proto', 'gate.proto'], {
  includeDirs: [join(packageRoot, 'proto')],
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
});

const types = loadPackageDefinition(definition) as unknown as CoordinatorTypes &
  DoctorTypes &
  ExchangeTypes &
  GateTypes;

export const CoordinatorClient = types.lockstep.v1.Coordinator;
export const coordinatorService: CoordinatorDefinition = types.lockstep.v1.Coordinator.service;

export const GateClient = types.lockstep.v1.Gate;
export const gateService: GateDefinition = types.lockstep.v1.Gate.service;

export const DoctorClient = types.lockstep.v1.Doctor;
export const doctorService: DoctorDefinition = types.lockstep.v1.Doctor.service;

/** `Exchange`, of which we write and read frames by hand: frame-codec.ts, exchange-server.ts. */
export const exchangeProtoService: ExchangeDefinition = types.lockstep.v1.Exchange.service;
