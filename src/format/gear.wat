;; The scan of gear-scan.ts in WebAssembly. `gear-wasm.ts` holds it compiled; a test compiles it again and compares.
;;
;; Memory: the 256 numbers of the gear table at 0, the bytes to scan from 1024 on.
(module
  (memory (export "memory") 3)

  ;; The position after the first byte in [at, end) at which the hash has none of the mask's bits, or 0. The hash is
  ;; computed from 32 bytes before `at` on, so these must be there.
  (func (export "scan") (param $at i32) (param $end i32) (param $mask i32) (result i32)
    (local $hash i32)
    (local $warm i32)
    (local $unrolledEnd i32)

    (local.set $warm (i32.sub (local.get $at) (i32.const 32)))
    (loop $warmUp
      (local.set $hash (i32.add (i32.shl (local.get $hash) (i32.const 1))
        (i32.load (i32.shl (i32.load8_u (local.get $warm)) (i32.const 2)))))
      (br_if $warmUp
        (i32.lt_u (local.tee $warm (i32.add (local.get $warm) (i32.const 1))) (local.get $at))))

    (local.set $unrolledEnd (i32.add (local.get $at)
      (i32.and (i32.sub (local.get $end) (local.get $at)) (i32.const -4))))
    (block $unrolled
      (br_if $unrolled (i32.ge_u (local.get $at) (local.get $unrolledEnd)))
      (loop $next
        (local.set $hash (i32.add (i32.shl (local.get $hash) (i32.const 1))
          (i32.load (i32.shl (i32.load8_u (local.get $at)) (i32.const 2)))))
        (if (i32.eqz (i32.and (local.get $hash) (local.get $mask)))
          (then (return (i32.add (local.get $at) (i32.const 1)))))
        (local.set $hash (i32.add (i32.shl (local.get $hash) (i32.const 1))
          (i32.load (i32.shl (i32.load8_u offset=1 (local.get $at)) (i32.const 2)))))
        (if (i32.eqz (i32.and (local.get $hash) (local.get $mask)))
          (then (return (i32.add (local.get $at) (i32.const 2)))))
        (local.set $hash (i32.add (i32.shl (local.get $hash) (i32.const 1))
          (i32.load (i32.shl (i32.load8_u offset=2 (local.get $at)) (i32.const 2)))))
        (if (i32.eqz (i32.and (local.get $hash) (local.get $mask)))
          (then (return (i32.add (local.get $at) (i32.const 3)))))
        (local.set $hash (i32.add (i32.shl (local.get $hash) (i32.const 1))
          (i32.load (i32.shl (i32.load8_u offset=3 (local.get $at)) (i32.const 2)))))
        (if (i32.eqz (i32.and (local.get $hash) (local.get $mask)))
          (then (return (i32.add (local.get $at) (i32.const 4)))))
        (br_if $next
          (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (local.get $unrolledEnd)))))

    (block $done
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (loop $next
        (local.set $hash (i32.add (i32.shl (local.get $hash) (i32.const 1))
          (i32.load (i32.shl (i32.load8_u (local.get $at)) (i32.const 2)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (if (i32.eqz (i32.and (local.get $hash) (local.get $mask)))
          (then (return (local.get $at))))
        (br_if $next (i32.lt_u (local.get $at) (local.get $end)))))
    (i32.const 0)))
