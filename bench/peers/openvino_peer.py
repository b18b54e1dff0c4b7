"""OpenVINO on our ONNX file, every core; see measuring.py.

    python openvino_peer.py --folder F --network truncated-densenet121 --task predict --batch 1 --precision bf16 --runs 5 [--throughput]

By the latency hint one request after the other; with --throughput by that hint, as many at a time as OpenVINO asks for.
"""

import numpy as np
import openvino as ov

from measuring import arguments, cores, read_images, report

ROUNDS = 4  # of requests at a time, in one timed call


def main():
    args = arguments("throughput")
    images = read_images(args)
    model = ov.Core().read_model(f"{args.folder}/{args.network}.onnx")
    model = ov.Model([model.output("logits")], model.get_parameters())
    model.reshape(list(images.shape))
    hint = "throughput" if args.throughput else "latency"
    settings = {
        "INFERENCE_PRECISION_HINT": {"float32": "f32", "bf16": "bf16"}[args.precision],
        "PERFORMANCE_HINT": hint.upper(),
        "INFERENCE_NUM_THREADS": cores(),
    }
    compiled = ov.Core().compile_model(model, "CPU", settings)
    logits = compiled.create_infer_request().infer([images])[0].astype(np.float32)
    subject = f"OpenVINO {ov.__version__.split('-')[0]} {args.precision}, {hint}"
    if args.throughput:
        queue = ov.AsyncInferQueue(compiled)
        batches = ROUNDS * len(queue)

        def work():
            for _ in range(batches):
                queue.start_async([images])
            queue.wait_all()

        report(args, subject, work, outputs=logits.flatten(), batches=batches)
    else:
        request = compiled.create_infer_request()
        report(args, subject, lambda: request.infer([images]), outputs=logits.flatten())


main()
