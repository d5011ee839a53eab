"""The loops around a program's rows, as text: over units of work, over steps, over what a block's spikes bring to it.

A unit is some trials and a tile of neurons. Loops of a recurrent block take some trials and all of its neurons through
all steps, so that threads need not wait for each other at every chunk.
"""

FORWARD = """
@_compile
def forward(
    _first, _last, _trials, _tile, _every, _start, _stop, _state, _constants, _arrived, _spikes, _seen, _kept,
):
    _, _n_trials, _n = _spikes.shape
    _n_tiles = (_n + _tile - 1)//_tile
    for _unit in range(_first, _last):
        _b0, _i0 = _unit//_n_tiles*_trials, _unit % _n_tiles*_tile
        _b1, _i1 = min(_b0 + _trials, _n_trials), min(_i0 + _tile, _n)
        for _t in range(_start, _stop):
            if _t % _every == 0:
                _copy_tile(_kept[_t//_every], _b0, _i0, _state, _b0, _i0, _b1 - _b0, _i1 - _i0)
            forward_rows(_b0, _b1, _i0, _i1, {forward})
"""

BACKWARD = """
@_compile
def backward(
    _first, _last, _trials, _tile, _every, _start, _stop, _slope, _kept, _past, _constants, _arrived,
    _grad_state, _grad_spikes, _feedback, _grad_seen, _grad_arrived, _grad_constants,
):
    _n_steps, _n_trials, _, _n = _arrived.shape
    _n_tiles = (_n + _tile - 1)//_tile
    for _unit in range(_first, _last):
        _b0, _i0 = _unit//_n_tiles*_trials, _unit % _n_tiles*_tile
        _b1, _i1 = min(_b0 + _trials, _n_trials), min(_i0 + _tile, _n)
        _slot = _unit % _past.shape[0]
        for _t in range(_stop - 1, _start - 1, -1):
            _m = _t % _every
            if _m == _every - 1 or _t == _n_steps - 1:
                _copy_tile(_past[_slot, 0], 0, 0, _kept[_t//_every], _b0, _i0, _b1 - _b0, _i1 - _i0)
                for _k in range(_m):
                    _before, _after, _given = _past[_slot, _k], _past[_slot, _k + 1], _arrived[_t - _m + _k]
                    again_rows(_b0, _b1, _i0, _i1, {again})
            _before, _given = _past[_slot, _m], _arrived[_t]
            _fed = _feedback[_t % _feedback.shape[0]]
            backward_rows(_b0, _b1, _i0, _i1, {backward})
"""

RECURRENT = """
@_compile
def forward_recurrent(
    _first, _last, _trials, _tile, _every, _length, _receptors, _delays, _weights,
    _given, _state, _constants, _arrived, _spikes, _seen, _kept,
):
    _n_steps, _n_trials, _, _n = _arrived.shape
    _n_tiles = (_n + _tile - 1)//_tile
    _n_past = _spikes.shape[0] - _n_steps
    for _unit in range(_first, _last):
        _b0, _b1 = _unit*_trials, min((_unit + 1)*_trials, _n_trials)
        for _start in range(0, _n_steps, _length):
            _stop = min(_start + _length, _n_steps)
            for _t in range(_start, _stop):
                _copy_tile(_arrived[_t, _b0:_b1], 0, 0, _given[_t, _b0:_b1], 0, 0, _arrived.shape[2], _n)
            for _k in range(len(_delays)):
                _sent = _spikes[_n_past - _delays[_k] - 1:]
                _add_rows(_b0, _b1, _arrived, _receptors[_k], _sent, _weights[_k], _start, _stop, False)
            forward(
                _unit*_n_tiles, (_unit + 1)*_n_tiles, _trials, _tile, _every, _start, _stop,
                _state, _constants, _arrived, _spikes[_n_past:], _seen, _kept,
            )


@_compile
def backward_recurrent(
    _first, _last, _groups, _trials, _tile, _every, _length, _slope, _receptors, _delays, _transposed, _grad_weights,
    _spikes, _kept, _past, _constants, _arrived, _grad_state, _grad_spikes, _feedback, _grad_seen, _grad_arrived,
    _grad_constants,
):
    _n_steps, _n_trials, _, _n = _arrived.shape
    _n_tiles = (_n + _tile - 1)//_tile
    _n_past = _spikes.shape[0] - _n_steps
    _n_units = (_n_trials + _trials - 1)//_trials
    for _group in range(_first, _last):
        for _unit in range(_n_units*_group//_groups, _n_units*(_group + 1)//_groups):
            _b0, _b1 = _unit*_trials, min((_unit + 1)*_trials, _n_trials)
            for _start in range((_n_steps - 1)//_length*_length, -1, -_length):
                _stop = min(_start + _length, _n_steps)
                backward(
                    _unit*_n_tiles, (_unit + 1)*_n_tiles, _trials, _tile, _every, _start, _stop, _slope, _kept, _past,
                    _constants, _arrived, _grad_state, _grad_spikes, _feedback, _grad_seen, _grad_arrived,
                    _grad_constants,
                )
                for _k in range(len(_delays)):
                    _receptor, _back = _receptors[_k], _delays[_k] + 1
                    for _t in range(_start, _stop):
                        _fed = _feedback[(_t - _back) % _feedback.shape[0], _b0:_b1]
                        _add_product_of(_fed, _grad_arrived[_t, _b0:_b1, _receptor], _transposed[_k])
                    _add_outer(
                        0, _n, _grad_weights[_group, _k], _spikes[_n_past - _back:], _grad_arrived, _receptor,
                        (_b0, _b1), _start, _stop,
                    )
"""
