"""onnxruntime on our ONNX file, every core; see measuring.py.

    python onnxruntime_peer.py --folder F --network truncated-densenet121 --task predict --batch 1 --precision float32 --runs 5
"""

import onnxruntime

from measuring import arguments, cores, read_images, report


def main():
    args = arguments()
    images = read_images(args)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(f"{args.folder}/{args.network}.onnx", options, providers=["CPUExecutionProvider"])

    def work():
        return session.run(["logits"], {"image": images})[0]

    report(args, f"onnxruntime {onnxruntime.__version__} {args.precision}", work, outputs=work().flatten())


main()
