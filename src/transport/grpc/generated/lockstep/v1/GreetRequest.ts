// Original file: proto/doctor.proto


export interface GreetRequest {
}

export interface GreetRequest__Output {
}
