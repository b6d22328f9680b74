// Code generated via abigen V2 - DO NOT EDIT.
// This file is a generated binding and any manual changes will be lost.

package servers

import (
	"bytes"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Reference imports to suppress errors if they are not otherwise used.
var (
	_ = bytes.Equal
	_ = errors.New
	_ = big.NewInt
	_ = common.Big1
	_ = types.BloomLookup
	_ = abi.ConvertType
)

// RegistryMetaData contains all meta data concerning the Registry contract.
var RegistryMetaData = bind.MetaData{
	ABI: "[{\"inputs\":[{\"internalType\":\"uint96\",\"name\":\"minDeposit_\",\"type\":\"uint96\"},{\"internalType\":\"uint32\",\"name\":\"unlockDelay_\",\"type\":\"uint32\"},{\"internalType\":\"uint32\",\"name\":\"rewardsEvery_\",\"type\":\"uint32\"}],\"stateMutability\":\"nonpayable\",\"type\":\"constructor\"},{\"inputs\":[{\"internalType\":\"string\",\"name\":\"field\",\"type\":\"string\"},{\"internalType\":\"uint256\",\"name\":\"length\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"least\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"most\",\"type\":\"uint256\"}],\"name\":\"BadLength\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"total\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"most\",\"type\":\"uint256\"}],\"name\":\"DepositTooLarge\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"sent\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"least\",\"type\":\"uint256\"}],\"name\":\"DepositTooSmall\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"uint64\",\"name\":\"unlockAt\",\"type\":\"uint64\"}],\"name\":\"Locked\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"string\",\"name\":\"field\",\"type\":\"string\"}],\"name\":\"Missing\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"name\":\"NoSuchRecord\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"delegate\",\"type\":\"address\"}],\"name\":\"NotAllowed\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"string\",\"name\":\"field\",\"type\":\"string\"},{\"internalType\":\"uint256\",\"name\":\"position\",\"type\":\"uint256\"}],\"name\":\"NotAscending\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"address\",\"name\":\"to\",\"type\":\"address\"}],\"name\":\"NotOffered\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"}],\"name\":\"NotOwner\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"address\",\"name\":\"to\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"amount\",\"type\":\"uint256\"}],\"name\":\"PaymentRefused\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"earliest\",\"type\":\"uint64\"}],\"name\":\"RewardsTooSoon\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"enumRegistry.Status\",\"name\":\"status\",\"type\":\"uint8\"}],\"name\":\"WrongStatus\",\"type\":\"error\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"delegate\",\"type\":\"address\"}],\"name\":\"DelegateSet\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"deposit\",\"type\":\"uint96\"}],\"name\":\"DepositAdded\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"key\",\"type\":\"bytes32\"}],\"name\":\"KeyRotated\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"indexed\":false,\"internalType\":\"uint32[]\",\"name\":\"offers\",\"type\":\"uint32[]\"},{\"indexed\":false,\"internalType\":\"uint32[]\",\"name\":\"rewards\",\"type\":\"uint32[]\"},{\"indexed\":false,\"internalType\":\"uint32\",\"name\":\"capacity\",\"type\":\"uint32\"}],\"name\":\"ListsSet\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"to\",\"type\":\"address\"}],\"name\":\"OwnershipOffered\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"from\",\"type\":\"address\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"to\",\"type\":\"address\"}],\"name\":\"OwnershipTransferred\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"deposit\",\"type\":\"uint96\"}],\"name\":\"ServerRegistered\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"unlockAt\",\"type\":\"uint64\"}],\"name\":\"Unregistered\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"indexed\":false,\"internalType\":\"string\",\"name\":\"url\",\"type\":\"string\"}],\"name\":\"UrlSet\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"to\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"amount\",\"type\":\"uint96\"}],\"name\":\"Withdrawn\",\"type\":\"event\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"name\":\"acceptOwnership\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"name\":\"commitments\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"commitment\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"count\",\"outputs\":[{\"internalType\":\"uint32\",\"name\":\"\",\"type\":\"uint32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"name\":\"hashes\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"url\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"keys\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"offers\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"rewards\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"name\":\"heads\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"internalType\":\"uint96\",\"name\":\"deposit\",\"type\":\"uint96\"},{\"internalType\":\"address\",\"name\":\"delegate\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"since\",\"type\":\"uint64\"},{\"internalType\":\"uint32\",\"name\":\"edits\",\"type\":\"uint32\"},{\"internalType\":\"uint64\",\"name\":\"unlockAt\",\"type\":\"uint64\"},{\"internalType\":\"enumRegistry.Status\",\"name\":\"status\",\"type\":\"uint8\"},{\"internalType\":\"uint64\",\"name\":\"rewardsAt\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"log\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"minDeposit\",\"outputs\":[{\"internalType\":\"uint96\",\"name\":\"\",\"type\":\"uint96\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"address\",\"name\":\"to\",\"type\":\"address\"}],\"name\":\"offerOwnership\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"name\":\"pendingOwner\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"to\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"string\",\"name\":\"url\",\"type\":\"string\"},{\"internalType\":\"bytes32\",\"name\":\"key\",\"type\":\"bytes32\"},{\"internalType\":\"uint32[]\",\"name\":\"offers\",\"type\":\"uint32[]\"},{\"internalType\":\"uint32[]\",\"name\":\"rewards\",\"type\":\"uint32[]\"},{\"internalType\":\"uint32\",\"name\":\"capacity\",\"type\":\"uint32\"}],\"name\":\"register\",\"outputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"stateMutability\":\"payable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"rewardsEvery\",\"outputs\":[{\"internalType\":\"uint32\",\"name\":\"\",\"type\":\"uint32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"bytes32\",\"name\":\"key\",\"type\":\"bytes32\"}],\"name\":\"rotateKey\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"address\",\"name\":\"delegate\",\"type\":\"address\"}],\"name\":\"setDelegate\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"uint32[]\",\"name\":\"offers\",\"type\":\"uint32[]\"},{\"internalType\":\"uint32[]\",\"name\":\"rewards\",\"type\":\"uint32[]\"},{\"internalType\":\"uint32\",\"name\":\"capacity\",\"type\":\"uint32\"}],\"name\":\"setLists\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"string\",\"name\":\"url\",\"type\":\"string\"}],\"name\":\"setUrl\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"name\":\"topUp\",\"outputs\":[],\"stateMutability\":\"payable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"unlockDelay\",\"outputs\":[{\"internalType\":\"uint32\",\"name\":\"\",\"type\":\"uint32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"name\":\"unregister\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"name\":\"withdraw\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"}]",
	ID:  "Registry",
	Bin: "0x60e060405234801561000f575f5ffd5b50604051611e1b380380611e1b83398101604081905261002e91610068565b6001600160601b0390921660805263ffffffff90811660a0521660c0526100b5565b805163ffffffff81168114610063575f5ffd5b919050565b5f5f5f6060848603121561007a575f5ffd5b83516001600160601b0381168114610090575f5ffd5b925061009e60208501610050565b91506100ac60408501610050565b90509250925092565b60805160a05160c051611d206100fb5f395f818161045b015261145601525f81816101520152610a2301525f8181610228015281816111b401526112190152611d205ff3fe60806040526004361061013d575f3560e01c8063a6907def116100bb578063e1912be211610071578063ea7681fe11610057578063ea7681fe1461044a578063ecc4828b1461047d578063fcb6a0eb14610490575f5ffd5b8063e1912be214610418578063e978222a1461042b575f5ffd5b8063c4e79726116100a1578063c4e79726146103bb578063cc70122e146103da578063d1a40672146103f9575f5ffd5b8063a6907def1461037d578063aa9224cd1461039c575f5ffd5b806341b3d1851161011057806351973ec9116100f657806351973ec91461031157806356decd90146103335780636074c18414610352575f5ffd5b806341b3d185146102175780634c81abb814610262575f5ffd5b80630519da321461014157806306661abd1461018e5780631ee2fec7146101aa5780633917fc4a146101cb575b5f5ffd5b34801561014c575f5ffd5b506101747f000000000000000000000000000000000000000000000000000000000000000081565b60405163ffffffff90911681526020015b60405180910390f35b348015610199575f5ffd5b506001546101749063ffffffff1681565b3480156101b5575f5ffd5b506101c96101c4366004611704565b6104f0565b005b3480156101d6575f5ffd5b506101ff6101e536600461172c565b60046020525f90815260409020546001600160a01b031681565b6040516001600160a01b039091168152602001610185565b348015610222575f5ffd5b5061024a7f000000000000000000000000000000000000000000000000000000000000000081565b6040516001600160601b039091168152602001610185565b34801561026d575f5ffd5b506102fd61027c36600461172c565b60036020525f90815260409020805460018201546002909201546001600160a01b0380831693600160a01b938490046001600160601b0316939181169291810467ffffffffffffffff90811692600160e01b90920463ffffffff16918181169168010000000000000000820460ff1691690100000000000000000090041688565b604051610185989796959493929190611780565b34801561031c575f5ffd5b506103255f5481565b604051908152602001610185565b34801561033e575f5ffd5b506101c961034d36600461183e565b610508565b34801561035d575f5ffd5b5061032561036c36600461172c565b60026020525f908152604090205481565b348015610388575f5ffd5b506101c961039736600461172c565b61053a565b3480156103a7575f5ffd5b506101c96103b636600461172c565b610653565b3480156103c6575f5ffd5b506101c96103d536600461190b565b610897565b3480156103e5575f5ffd5b506101c96103f436600461195a565b6108ac565b348015610404575f5ffd5b506101c961041336600461195a565b61091a565b61017461042636600461199a565b610980565b348015610436575f5ffd5b506101c961044536600461172c565b610a0c565b348015610455575f5ffd5b506101747f000000000000000000000000000000000000000000000000000000000000000081565b6101c961048b36600461172c565b610add565b34801561049b575f5ffd5b506104d06104aa36600461172c565b60056020525f908152604090208054600182015460028301546003909301549192909184565b604080519485526020850193909352918301526060820152608001610185565b6104f982610b7e565b506105048282610c2f565b5050565b61051a8661051588610d6d565b610de6565b61052386610e6a565b50610532868686868686610e7d565b505050505050565b5f61054482610e6a565b63ffffffff83165f908152600460205260409020549091506001600160a01b031633146105cb5763ffffffff82165f818152600460208190526040918290205491517ffec0a5a9000000000000000000000000000000000000000000000000000000008152908101929092526001600160a01b031660248201526044015b60405180910390fd5b80546001600160a01b03168154336001600160a01b0319918216811784556001840180548316905563ffffffff85165f818152600460205260408082208054909516909455925191926001600160a01b038516927ff762668ccf38eb8a945f8703cd5cd30bd5a99413388b58679c00d391ef06e8749190a461064e600384611042565b505050565b5f61065d82610d6d565b80549091506001600160a01b031633146106a45780546040516361f03deb60e11b815263ffffffff841660048201526001600160a01b0390911660248201526044016105c2565b60028082015468010000000000000000900460ff1660038111156106ca576106ca61174c565b146106fd57818160020160089054906101000a900460ff1660405163316cb5d960e21b81526004016105c2929190611a52565b600281015467ffffffffffffffff164210156107635760028101546040517fa67d9aaa00000000000000000000000000000000000000000000000000000000815263ffffffff8416600482015267ffffffffffffffff90911660248201526044016105c2565b80546001600160a01b038116825560028201805468ff000000000000000019166803000000000000000017905560408051600160a01b9092046001600160601b031680835290519091339163ffffffff8616917f421510c0106bd99d2753229040ba82afdcc250ecfbe5e2523cdf6bbff2714a77919081900360200190a36107ec600784611042565b6040515f9033906001600160601b038416908381818185875af1925050503d805f8114610834576040519150601f19603f3d011682016040523d82523d5f602084013e610839565b606091505b5050905080610891576040517f69a005fc00000000000000000000000000000000000000000000000000000000815263ffffffff851660048201523360248201526001600160601b03831660448201526064016105c2565b50505050565b6108a083610b7e565b5061064e8383836110ad565b6108b582610b7e565b5063ffffffff82165f8181526004602052604080822080546001600160a01b0319166001600160a01b03861690811790915590519092917fe4dc280d6ee535939edfe9511263fdb449b2090af7096d0980afaead9d86244291a3610504600283611042565b8061092483610b7e565b60010180546001600160a01b0319166001600160a01b039283161790556040519082169063ffffffff8416907f067273bb43d26a412980448ae27cc39351114ce16f2792e7ef2d8b0b78d5bd12905f90a3610504600483611042565b5f6109896111b1565b6040516001600160601b0334168152909150339063ffffffff8316907f5a95cdfb5bc730380494e8085bf4e7ee3b5bf8600adab988fe64851c40abdb9a9060200160405180910390a36109dd600182611042565b6109e8818a8a6110ad565b6109f28188610c2f565b610a00818787878787610e7d565b98975050505050505050565b5f610a1682610b7e565b90505f610a4963ffffffff7f00000000000000000000000000000000000000000000000000000000000000001642611a80565b60028301805467ffffffffffffffff831668ffffffffffffffffff199091168117680200000000000000001790915563ffffffff85165f8181526004602090815260409182902080546001600160a01b03191690559051928352929350917fe93eb752a9cc460e237290bf6060c0ba8652df5bdd8cd67ba1a048cb8239f2f7910160405180910390a261064e600684611042565b5f610ae782610b7e565b80549091505f90610b1290610b0d903490600160a01b90046001600160601b0316611aa6565b611327565b82546001600160a01b0316600160a01b6001600160601b03831690810291909117845560405190815290915063ffffffff8416907fbf8b3680a79854017b658f9f1789bbcf721e4655bc88fda79886ad2fdd2280099060200160405180910390a261064e600584611042565b5f610b8882610d6d565b80549091506001600160a01b03163314610bcf5780546040516361f03deb60e11b815263ffffffff841660048201526001600160a01b0390911660248201526044016105c2565b60015b600282015468010000000000000000900460ff166003811115610bf757610bf761174c565b14610c2a57818160020160089054906101000a900460ff1660405163316cb5d960e21b81526004016105c2929190611a52565b919050565b5f819003610c99576040517f70c1f07100000000000000000000000000000000000000000000000000000000815260206004820152600360248201527f6b6579000000000000000000000000000000000000000000000000000000000060448201526064016105c2565b63ffffffff8281165f818152600560209081526040808320600190810180548351808601919091528084018990524360608083019190915284518083039091018152608090910184528051908501209585529490945560039091529020018054600160e01b900490911690601c610d0f83611ab9565b91906101000a81548163ffffffff021916908363ffffffff16021790555050808263ffffffff167ff98645bbbc51a77fc6a6d2ddb441e33af7762fa79313181254732ddde67b16c060405160405180910390a3610504602183611042565b63ffffffff81165f90815260036020526040812090600282015468010000000000000000900460ff166003811115610da757610da761174c565b03610c2a576040517f79e616bb00000000000000000000000000000000000000000000000000000000815263ffffffff831660048201526024016105c2565b80546001600160a01b03163314801590610e0d575060018101546001600160a01b03163314155b1561050457805460018201546040517f4918874700000000000000000000000000000000000000000000000000000000815263ffffffff851660048201526001600160a01b039283166024820152911660448201526064016105c2565b5f610e7482610d6d565b90506001610bd2565b610ec06040518060400160405280600681526020017f6f66666572730000000000000000000000000000000000000000000000000000815250868661010061137d565b610f026040518060400160405280600781526020017f72657761726473000000000000000000000000000000000000000000000000008152508484604061137d565b63ffffffff86165f9081526005602090815260408083209051909291610f2c918791879101611b20565b60405160208183030381529060405280519060200120905081600301548114610f68576003820154610f6090899015611434565b600382018190555b868684604051602001610f7d93929190611b3b565b60408051601f198184030181529181528151602092830120600285015563ffffffff808b165f908152600390935291206001018054600160e01b900490911690601c610fc883611ab9565b91906101000a81548163ffffffff021916908363ffffffff160217905550508763ffffffff167f2a70424f43bedb06728b1cacc98ed38012ba3a57064606a173cc75f06e7ccdd68888888888604051611025959493929190611b64565b60405180910390a2611038602289611042565b5050505050505050565b5f61104c82611537565b63ffffffff83165f818152600260209081526040808320859055915482519182015260ff87169181019190915260608101919091526080810182905290915060a00160408051601f1981840301815291905280516020909101205f55505050565b60408051808201909152600381527f75726c000000000000000000000000000000000000000000000000000000000060208201526110ef9082600860806115f7565b81816040516110ff929190611ba3565b604080519182900390912063ffffffff8086165f908152600560209081528482209390935560039092529190206001018054600160e01b900490911690601c61114783611ab9565b91906101000a81548163ffffffff021916908363ffffffff160217905550508263ffffffff167f78f4ede511469b6abc56efc37895c42e77f31f6bce6849a80210152bcb4d1c5e838360405161119e929190611bb2565b60405180910390a261064e602084611042565b5f7f00000000000000000000000000000000000000000000000000000000000000006001600160601b0316341015611246576040517f4a77f2fa0000000000000000000000000000000000000000000000000000000081523460048201526001600160601b037f00000000000000000000000000000000000000000000000000000000000000001660248201526044016105c2565b600180545f9061125b9063ffffffff16611ab9565b825463ffffffff8083166101009490940a848102910219909116179092555f90815260036020526040902080546001600160a01b031916331781559091506112a234611327565b81546001600160a01b0316600160a01b6001600160601b03929092168202178255600180830180547fffffffff0000000000000000ffffffffffffffffffffffffffffffffffffffff164367ffffffffffffffff169093029290921790915560028201805468ff00000000000000001916680100000000000000008302179055505090565b5f6001600160601b03821115611379576040517ff7b65670000000000000000000000000000000000000000000000000000000008152600481018390526001600160601b0360248201526044016105c2565b5090565b61138984835f846115f7565b5f805b83811015610532578163ffffffff168585838181106113ad576113ad611be0565b90506020020160208101906113c2919061172c565b63ffffffff16116114035785816040517f4b4001270000000000000000000000000000000000000000000000000000000081526004016105c2929190611c22565b84848281811061141557611415611be0565b905060200201602081019061142a919061172c565b915060010161138c565b63ffffffff8281165f90815260036020526040812060028101549092611495917f0000000000000000000000000000000000000000000000000000000000000000909116906901000000000000000000900467ffffffffffffffff16611a80565b9050821580156114ae57508067ffffffffffffffff1643105b156114f1576040517f05918dca00000000000000000000000000000000000000000000000000000000815267ffffffffffffffff821660048201526024016105c2565b5060020180547fffffffffffffffffffffffffffffff0000000000000000ffffffffffffffffff1669010000000000000000004367ffffffffffffffff16021790555050565b63ffffffff81165f90815260056020526040812061155483611643565b8154600183015460028085015460038087015463ffffffff8a165f9081526020928352604090819020909401548451928301969096529281019390935260608301526080820152690100000000000000000090910467ffffffffffffffff1660a082015260c00160408051601f19818403018152908290526115d99291602001611c5a565b60405160208183030381529060405280519060200120915050919050565b8183108061160457508083115b1561089157838383836040517fd3798aad0000000000000000000000000000000000000000000000000000000081526004016105c29493929190611c6e565b63ffffffff8082165f908152600360209081526040808320805460018201546004855294839020546002830154935160609793966116da968a966001600160a01b038087169784821697969091169560ff68010000000000000000840416956001600160601b03600160a01b92839004169567ffffffffffffffff9281048316959290941693600160e01b90049092169101611c9c565b604051602081830303815290604052915050919050565b803563ffffffff81168114610c2a575f5ffd5b5f5f60408385031215611715575f5ffd5b61171e836116f1565b946020939093013593505050565b5f6020828403121561173c575f5ffd5b611745826116f1565b9392505050565b634e487b7160e01b5f52602160045260245ffd5b6004811061177c57634e487b7160e01b5f52602160045260245ffd5b9052565b6001600160a01b0389811682526001600160601b03891660208301528716604082015267ffffffffffffffff868116606083015263ffffffff86166080830152841660a082015261010081016117d960c0830185611760565b67ffffffffffffffff831660e08301529998505050505050505050565b5f5f83601f840112611806575f5ffd5b50813567ffffffffffffffff81111561181d575f5ffd5b6020830191508360208260051b8501011115611837575f5ffd5b9250929050565b5f5f5f5f5f5f60808789031215611853575f5ffd5b61185c876116f1565b9550602087013567ffffffffffffffff811115611877575f5ffd5b61188389828a016117f6565b909650945050604087013567ffffffffffffffff8111156118a2575f5ffd5b6118ae89828a016117f6565b90945092506118c19050606088016116f1565b90509295509295509295565b5f5f83601f8401126118dd575f5ffd5b50813567ffffffffffffffff8111156118f4575f5ffd5b602083019150836020828501011115611837575f5ffd5b5f5f5f6040848603121561191d575f5ffd5b611926846116f1565b9250602084013567ffffffffffffffff811115611941575f5ffd5b61194d868287016118cd565b9497909650939450505050565b5f5f6040838503121561196b575f5ffd5b611974836116f1565b915060208301356001600160a01b038116811461198f575f5ffd5b809150509250929050565b5f5f5f5f5f5f5f5f60a0898b0312156119b1575f5ffd5b883567ffffffffffffffff8111156119c7575f5ffd5b6119d38b828c016118cd565b90995097505060208901359550604089013567ffffffffffffffff8111156119f9575f5ffd5b611a058b828c016117f6565b909650945050606089013567ffffffffffffffff811115611a24575f5ffd5b611a308b828c016117f6565b9094509250611a43905060808a016116f1565b90509295985092959890939650565b63ffffffff83168152604081016117456020830184611760565b634e487b7160e01b5f52601160045260245ffd5b67ffffffffffffffff8181168382160190811115611aa057611aa0611a6c565b92915050565b80820180821115611aa057611aa0611a6c565b5f63ffffffff821663ffffffff8103611ad457611ad4611a6c565b60010192915050565b8183526020830192505f815f5b84811015611b165763ffffffff611b00836116f1565b1686526020958601959190910190600101611aea565b5093949350505050565b602081525f611b33602083018486611add565b949350505050565b604081525f611b4e604083018587611add565b905063ffffffff83166020830152949350505050565b606081525f611b77606083018789611add565b8281036020840152611b8a818688611add565b91505063ffffffff831660408301529695505050505050565b818382375f9101908152919050565b60208152816020820152818360408301375f818301604090810191909152601f909201601f19160101919050565b634e487b7160e01b5f52603260045260245ffd5b5f81518084528060208401602086015e5f602082860101526020601f19601f83011685010191505092915050565b604081525f611c346040830185611bf4565b90508260208301529392505050565b5f81518060208401855e5f93019283525090919050565b5f611b33611c688386611c43565b84611c43565b608081525f611c806080830187611bf4565b6020830195909552506040810192909252606090910152919050565b63ffffffff8a1681526001600160a01b0389811660208301528881166040830152871660608201526101208101611cd66080830188611760565b6001600160601b03861660a083015267ffffffffffffffff851660c083015267ffffffffffffffff841660e083015263ffffffff83166101008301529a995050505050505050505056",
}

// Registry is an auto generated Go binding around an Ethereum contract.
type Registry struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *Registry) GetABI() abi.ABI {
	return c.abi
}

// NewRegistry creates a new instance of Registry.
func NewRegistry() *Registry {
	parsed, err := RegistryMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &Registry{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *Registry) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackConstructor is the Go binding used to pack the parameters required for
// contract deployment.
//
// Solidity: constructor(uint96 minDeposit_, uint32 unlockDelay_, uint32 rewardsEvery_) returns()
func (registry *Registry) PackConstructor(minDeposit_ *big.Int, unlockDelay_ uint32, rewardsEvery_ uint32) []byte {
	enc, err := registry.abi.Pack("", minDeposit_, unlockDelay_, rewardsEvery_)
	if err != nil {
		panic(err)
	}
	return enc
}

// PackAcceptOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa6907def.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function acceptOwnership(uint32 id) returns()
func (registry *Registry) PackAcceptOwnership(id uint32) []byte {
	enc, err := registry.abi.Pack("acceptOwnership", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAcceptOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa6907def.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function acceptOwnership(uint32 id) returns()
func (registry *Registry) TryPackAcceptOwnership(id uint32) ([]byte, error) {
	return registry.abi.Pack("acceptOwnership", id)
}

// PackCommitments is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6074c184.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function commitments(uint32 id) view returns(bytes32 commitment)
func (registry *Registry) PackCommitments(id uint32) []byte {
	enc, err := registry.abi.Pack("commitments", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCommitments is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6074c184.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function commitments(uint32 id) view returns(bytes32 commitment)
func (registry *Registry) TryPackCommitments(id uint32) ([]byte, error) {
	return registry.abi.Pack("commitments", id)
}

// UnpackCommitments is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x6074c184.
//
// Solidity: function commitments(uint32 id) view returns(bytes32 commitment)
func (registry *Registry) UnpackCommitments(data []byte) ([32]byte, error) {
	out, err := registry.abi.Unpack("commitments", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackCount is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x06661abd.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function count() view returns(uint32)
func (registry *Registry) PackCount() []byte {
	enc, err := registry.abi.Pack("count")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCount is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x06661abd.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function count() view returns(uint32)
func (registry *Registry) TryPackCount() ([]byte, error) {
	return registry.abi.Pack("count")
}

// UnpackCount is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x06661abd.
//
// Solidity: function count() view returns(uint32)
func (registry *Registry) UnpackCount(data []byte) (uint32, error) {
	out, err := registry.abi.Unpack("count", data)
	if err != nil {
		return *new(uint32), err
	}
	out0 := *abi.ConvertType(out[0], new(uint32)).(*uint32)
	return out0, nil
}

// PackHashes is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfcb6a0eb.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function hashes(uint32 id) view returns(bytes32 url, bytes32 keys, bytes32 offers, bytes32 rewards)
func (registry *Registry) PackHashes(id uint32) []byte {
	enc, err := registry.abi.Pack("hashes", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackHashes is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfcb6a0eb.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function hashes(uint32 id) view returns(bytes32 url, bytes32 keys, bytes32 offers, bytes32 rewards)
func (registry *Registry) TryPackHashes(id uint32) ([]byte, error) {
	return registry.abi.Pack("hashes", id)
}

// HashesOutput serves as a container for the return parameters of contract
// method Hashes.
type HashesOutput struct {
	Url     [32]byte
	Keys    [32]byte
	Offers  [32]byte
	Rewards [32]byte
}

// UnpackHashes is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xfcb6a0eb.
//
// Solidity: function hashes(uint32 id) view returns(bytes32 url, bytes32 keys, bytes32 offers, bytes32 rewards)
func (registry *Registry) UnpackHashes(data []byte) (HashesOutput, error) {
	out, err := registry.abi.Unpack("hashes", data)
	outstruct := new(HashesOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Url = *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	outstruct.Keys = *abi.ConvertType(out[1], new([32]byte)).(*[32]byte)
	outstruct.Offers = *abi.ConvertType(out[2], new([32]byte)).(*[32]byte)
	outstruct.Rewards = *abi.ConvertType(out[3], new([32]byte)).(*[32]byte)
	return *outstruct, nil
}

// PackHeads is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4c81abb8.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function heads(uint32 id) view returns(address owner, uint96 deposit, address delegate, uint64 since, uint32 edits, uint64 unlockAt, uint8 status, uint64 rewardsAt)
func (registry *Registry) PackHeads(id uint32) []byte {
	enc, err := registry.abi.Pack("heads", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackHeads is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4c81abb8.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function heads(uint32 id) view returns(address owner, uint96 deposit, address delegate, uint64 since, uint32 edits, uint64 unlockAt, uint8 status, uint64 rewardsAt)
func (registry *Registry) TryPackHeads(id uint32) ([]byte, error) {
	return registry.abi.Pack("heads", id)
}

// HeadsOutput serves as a container for the return parameters of contract
// method Heads.
type HeadsOutput struct {
	Owner     common.Address
	Deposit   *big.Int
	Delegate  common.Address
	Since     uint64
	Edits     uint32
	UnlockAt  uint64
	Status    uint8
	RewardsAt uint64
}

// UnpackHeads is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x4c81abb8.
//
// Solidity: function heads(uint32 id) view returns(address owner, uint96 deposit, address delegate, uint64 since, uint32 edits, uint64 unlockAt, uint8 status, uint64 rewardsAt)
func (registry *Registry) UnpackHeads(data []byte) (HeadsOutput, error) {
	out, err := registry.abi.Unpack("heads", data)
	outstruct := new(HeadsOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Owner = *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	outstruct.Deposit = abi.ConvertType(out[1], new(big.Int)).(*big.Int)
	outstruct.Delegate = *abi.ConvertType(out[2], new(common.Address)).(*common.Address)
	outstruct.Since = *abi.ConvertType(out[3], new(uint64)).(*uint64)
	outstruct.Edits = *abi.ConvertType(out[4], new(uint32)).(*uint32)
	outstruct.UnlockAt = *abi.ConvertType(out[5], new(uint64)).(*uint64)
	outstruct.Status = *abi.ConvertType(out[6], new(uint8)).(*uint8)
	outstruct.RewardsAt = *abi.ConvertType(out[7], new(uint64)).(*uint64)
	return *outstruct, nil
}

// PackLog is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x51973ec9.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function log() view returns(bytes32)
func (registry *Registry) PackLog() []byte {
	enc, err := registry.abi.Pack("log")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackLog is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x51973ec9.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function log() view returns(bytes32)
func (registry *Registry) TryPackLog() ([]byte, error) {
	return registry.abi.Pack("log")
}

// UnpackLog is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x51973ec9.
//
// Solidity: function log() view returns(bytes32)
func (registry *Registry) UnpackLog(data []byte) ([32]byte, error) {
	out, err := registry.abi.Unpack("log", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackMinDeposit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x41b3d185.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function minDeposit() view returns(uint96)
func (registry *Registry) PackMinDeposit() []byte {
	enc, err := registry.abi.Pack("minDeposit")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMinDeposit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x41b3d185.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function minDeposit() view returns(uint96)
func (registry *Registry) TryPackMinDeposit() ([]byte, error) {
	return registry.abi.Pack("minDeposit")
}

// UnpackMinDeposit is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x41b3d185.
//
// Solidity: function minDeposit() view returns(uint96)
func (registry *Registry) UnpackMinDeposit(data []byte) (*big.Int, error) {
	out, err := registry.abi.Unpack("minDeposit", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackOfferOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcc70122e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function offerOwnership(uint32 id, address to) returns()
func (registry *Registry) PackOfferOwnership(id uint32, to common.Address) []byte {
	enc, err := registry.abi.Pack("offerOwnership", id, to)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackOfferOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcc70122e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function offerOwnership(uint32 id, address to) returns()
func (registry *Registry) TryPackOfferOwnership(id uint32, to common.Address) ([]byte, error) {
	return registry.abi.Pack("offerOwnership", id, to)
}

// PackPendingOwner is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x3917fc4a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function pendingOwner(uint32 id) view returns(address to)
func (registry *Registry) PackPendingOwner(id uint32) []byte {
	enc, err := registry.abi.Pack("pendingOwner", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPendingOwner is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x3917fc4a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function pendingOwner(uint32 id) view returns(address to)
func (registry *Registry) TryPackPendingOwner(id uint32) ([]byte, error) {
	return registry.abi.Pack("pendingOwner", id)
}

// UnpackPendingOwner is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x3917fc4a.
//
// Solidity: function pendingOwner(uint32 id) view returns(address to)
func (registry *Registry) UnpackPendingOwner(data []byte) (common.Address, error) {
	out, err := registry.abi.Unpack("pendingOwner", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackRegister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe1912be2.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function register(string url, bytes32 key, uint32[] offers, uint32[] rewards, uint32 capacity) payable returns(uint32 id)
func (registry *Registry) PackRegister(url string, key [32]byte, offers []uint32, rewards []uint32, capacity uint32) []byte {
	enc, err := registry.abi.Pack("register", url, key, offers, rewards, capacity)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRegister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe1912be2.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function register(string url, bytes32 key, uint32[] offers, uint32[] rewards, uint32 capacity) payable returns(uint32 id)
func (registry *Registry) TryPackRegister(url string, key [32]byte, offers []uint32, rewards []uint32, capacity uint32) ([]byte, error) {
	return registry.abi.Pack("register", url, key, offers, rewards, capacity)
}

// UnpackRegister is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe1912be2.
//
// Solidity: function register(string url, bytes32 key, uint32[] offers, uint32[] rewards, uint32 capacity) payable returns(uint32 id)
func (registry *Registry) UnpackRegister(data []byte) (uint32, error) {
	out, err := registry.abi.Unpack("register", data)
	if err != nil {
		return *new(uint32), err
	}
	out0 := *abi.ConvertType(out[0], new(uint32)).(*uint32)
	return out0, nil
}

// PackRewardsEvery is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xea7681fe.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function rewardsEvery() view returns(uint32)
func (registry *Registry) PackRewardsEvery() []byte {
	enc, err := registry.abi.Pack("rewardsEvery")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRewardsEvery is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xea7681fe.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function rewardsEvery() view returns(uint32)
func (registry *Registry) TryPackRewardsEvery() ([]byte, error) {
	return registry.abi.Pack("rewardsEvery")
}

// UnpackRewardsEvery is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xea7681fe.
//
// Solidity: function rewardsEvery() view returns(uint32)
func (registry *Registry) UnpackRewardsEvery(data []byte) (uint32, error) {
	out, err := registry.abi.Unpack("rewardsEvery", data)
	if err != nil {
		return *new(uint32), err
	}
	out0 := *abi.ConvertType(out[0], new(uint32)).(*uint32)
	return out0, nil
}

// PackRotateKey is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x1ee2fec7.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function rotateKey(uint32 id, bytes32 key) returns()
func (registry *Registry) PackRotateKey(id uint32, key [32]byte) []byte {
	enc, err := registry.abi.Pack("rotateKey", id, key)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRotateKey is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x1ee2fec7.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function rotateKey(uint32 id, bytes32 key) returns()
func (registry *Registry) TryPackRotateKey(id uint32, key [32]byte) ([]byte, error) {
	return registry.abi.Pack("rotateKey", id, key)
}

// PackSetDelegate is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd1a40672.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function setDelegate(uint32 id, address delegate) returns()
func (registry *Registry) PackSetDelegate(id uint32, delegate common.Address) []byte {
	enc, err := registry.abi.Pack("setDelegate", id, delegate)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSetDelegate is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd1a40672.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function setDelegate(uint32 id, address delegate) returns()
func (registry *Registry) TryPackSetDelegate(id uint32, delegate common.Address) ([]byte, error) {
	return registry.abi.Pack("setDelegate", id, delegate)
}

// PackSetLists is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x56decd90.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function setLists(uint32 id, uint32[] offers, uint32[] rewards, uint32 capacity) returns()
func (registry *Registry) PackSetLists(id uint32, offers []uint32, rewards []uint32, capacity uint32) []byte {
	enc, err := registry.abi.Pack("setLists", id, offers, rewards, capacity)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSetLists is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x56decd90.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function setLists(uint32 id, uint32[] offers, uint32[] rewards, uint32 capacity) returns()
func (registry *Registry) TryPackSetLists(id uint32, offers []uint32, rewards []uint32, capacity uint32) ([]byte, error) {
	return registry.abi.Pack("setLists", id, offers, rewards, capacity)
}

// PackSetUrl is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc4e79726.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function setUrl(uint32 id, string url) returns()
func (registry *Registry) PackSetUrl(id uint32, url string) []byte {
	enc, err := registry.abi.Pack("setUrl", id, url)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSetUrl is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc4e79726.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function setUrl(uint32 id, string url) returns()
func (registry *Registry) TryPackSetUrl(id uint32, url string) ([]byte, error) {
	return registry.abi.Pack("setUrl", id, url)
}

// PackTopUp is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xecc4828b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function topUp(uint32 id) payable returns()
func (registry *Registry) PackTopUp(id uint32) []byte {
	enc, err := registry.abi.Pack("topUp", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackTopUp is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xecc4828b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function topUp(uint32 id) payable returns()
func (registry *Registry) TryPackTopUp(id uint32) ([]byte, error) {
	return registry.abi.Pack("topUp", id)
}

// PackUnlockDelay is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x0519da32.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function unlockDelay() view returns(uint32)
func (registry *Registry) PackUnlockDelay() []byte {
	enc, err := registry.abi.Pack("unlockDelay")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackUnlockDelay is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x0519da32.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function unlockDelay() view returns(uint32)
func (registry *Registry) TryPackUnlockDelay() ([]byte, error) {
	return registry.abi.Pack("unlockDelay")
}

// UnpackUnlockDelay is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x0519da32.
//
// Solidity: function unlockDelay() view returns(uint32)
func (registry *Registry) UnpackUnlockDelay(data []byte) (uint32, error) {
	out, err := registry.abi.Unpack("unlockDelay", data)
	if err != nil {
		return *new(uint32), err
	}
	out0 := *abi.ConvertType(out[0], new(uint32)).(*uint32)
	return out0, nil
}

// PackUnregister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe978222a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function unregister(uint32 id) returns()
func (registry *Registry) PackUnregister(id uint32) []byte {
	enc, err := registry.abi.Pack("unregister", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackUnregister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe978222a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function unregister(uint32 id) returns()
func (registry *Registry) TryPackUnregister(id uint32) ([]byte, error) {
	return registry.abi.Pack("unregister", id)
}

// PackWithdraw is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xaa9224cd.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function withdraw(uint32 id) returns()
func (registry *Registry) PackWithdraw(id uint32) []byte {
	enc, err := registry.abi.Pack("withdraw", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackWithdraw is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xaa9224cd.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function withdraw(uint32 id) returns()
func (registry *Registry) TryPackWithdraw(id uint32) ([]byte, error) {
	return registry.abi.Pack("withdraw", id)
}

// RegistryDelegateSet represents a DelegateSet event raised by the Registry contract.
type RegistryDelegateSet struct {
	Id       uint32
	Delegate common.Address
	Raw      *types.Log // Blockchain specific contextual infos
}

const RegistryDelegateSetEventName = "DelegateSet"

// ContractEventName returns the user-defined event name.
func (RegistryDelegateSet) ContractEventName() string {
	return RegistryDelegateSetEventName
}

// UnpackDelegateSetEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event DelegateSet(uint32 indexed id, address indexed delegate)
func (registry *Registry) UnpackDelegateSetEvent(log *types.Log) (*RegistryDelegateSet, error) {
	event := "DelegateSet"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryDelegateSet)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RegistryDepositAdded represents a DepositAdded event raised by the Registry contract.
type RegistryDepositAdded struct {
	Id      uint32
	Deposit *big.Int
	Raw     *types.Log // Blockchain specific contextual infos
}

const RegistryDepositAddedEventName = "DepositAdded"

// ContractEventName returns the user-defined event name.
func (RegistryDepositAdded) ContractEventName() string {
	return RegistryDepositAddedEventName
}

// UnpackDepositAddedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event DepositAdded(uint32 indexed id, uint96 deposit)
func (registry *Registry) UnpackDepositAddedEvent(log *types.Log) (*RegistryDepositAdded, error) {
	event := "DepositAdded"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryDepositAdded)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RegistryKeyRotated represents a KeyRotated event raised by the Registry contract.
type RegistryKeyRotated struct {
	Id  uint32
	Key [32]byte
	Raw *types.Log // Blockchain specific contextual infos
}

const RegistryKeyRotatedEventName = "KeyRotated"

// ContractEventName returns the user-defined event name.
func (RegistryKeyRotated) ContractEventName() string {
	return RegistryKeyRotatedEventName
}

// UnpackKeyRotatedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event KeyRotated(uint32 indexed id, bytes32 indexed key)
func (registry *Registry) UnpackKeyRotatedEvent(log *types.Log) (*RegistryKeyRotated, error) {
	event := "KeyRotated"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryKeyRotated)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RegistryListsSet represents a ListsSet event raised by the Registry contract.
type RegistryListsSet struct {
	Id       uint32
	Offers   []uint32
	Rewards  []uint32
	Capacity uint32
	Raw      *types.Log // Blockchain specific contextual infos
}

const RegistryListsSetEventName = "ListsSet"

// ContractEventName returns the user-defined event name.
func (RegistryListsSet) ContractEventName() string {
	return RegistryListsSetEventName
}

// UnpackListsSetEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event ListsSet(uint32 indexed id, uint32[] offers, uint32[] rewards, uint32 capacity)
func (registry *Registry) UnpackListsSetEvent(log *types.Log) (*RegistryListsSet, error) {
	event := "ListsSet"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryListsSet)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RegistryOwnershipOffered represents a OwnershipOffered event raised by the Registry contract.
type RegistryOwnershipOffered struct {
	Id  uint32
	To  common.Address
	Raw *types.Log // Blockchain specific contextual infos
}

const RegistryOwnershipOfferedEventName = "OwnershipOffered"

// ContractEventName returns the user-defined event name.
func (RegistryOwnershipOffered) ContractEventName() string {
	return RegistryOwnershipOfferedEventName
}

// UnpackOwnershipOfferedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OwnershipOffered(uint32 indexed id, address indexed to)
func (registry *Registry) UnpackOwnershipOfferedEvent(log *types.Log) (*RegistryOwnershipOffered, error) {
	event := "OwnershipOffered"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryOwnershipOffered)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RegistryOwnershipTransferred represents a OwnershipTransferred event raised by the Registry contract.
type RegistryOwnershipTransferred struct {
	Id   uint32
	From common.Address
	To   common.Address
	Raw  *types.Log // Blockchain specific contextual infos
}

const RegistryOwnershipTransferredEventName = "OwnershipTransferred"

// ContractEventName returns the user-defined event name.
func (RegistryOwnershipTransferred) ContractEventName() string {
	return RegistryOwnershipTransferredEventName
}

// UnpackOwnershipTransferredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OwnershipTransferred(uint32 indexed id, address indexed from, address indexed to)
func (registry *Registry) UnpackOwnershipTransferredEvent(log *types.Log) (*RegistryOwnershipTransferred, error) {
	event := "OwnershipTransferred"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryOwnershipTransferred)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RegistryServerRegistered represents a ServerRegistered event raised by the Registry contract.
type RegistryServerRegistered struct {
	Id      uint32
	Owner   common.Address
	Deposit *big.Int
	Raw     *types.Log // Blockchain specific contextual infos
}

const RegistryServerRegisteredEventName = "ServerRegistered"

// ContractEventName returns the user-defined event name.
func (RegistryServerRegistered) ContractEventName() string {
	return RegistryServerRegisteredEventName
}

// UnpackServerRegisteredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event ServerRegistered(uint32 indexed id, address indexed owner, uint96 deposit)
func (registry *Registry) UnpackServerRegisteredEvent(log *types.Log) (*RegistryServerRegistered, error) {
	event := "ServerRegistered"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryServerRegistered)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RegistryUnregistered represents a Unregistered event raised by the Registry contract.
type RegistryUnregistered struct {
	Id       uint32
	UnlockAt uint64
	Raw      *types.Log // Blockchain specific contextual infos
}

const RegistryUnregisteredEventName = "Unregistered"

// ContractEventName returns the user-defined event name.
func (RegistryUnregistered) ContractEventName() string {
	return RegistryUnregisteredEventName
}

// UnpackUnregisteredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Unregistered(uint32 indexed id, uint64 unlockAt)
func (registry *Registry) UnpackUnregisteredEvent(log *types.Log) (*RegistryUnregistered, error) {
	event := "Unregistered"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryUnregistered)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RegistryUrlSet represents a UrlSet event raised by the Registry contract.
type RegistryUrlSet struct {
	Id  uint32
	Url string
	Raw *types.Log // Blockchain specific contextual infos
}

const RegistryUrlSetEventName = "UrlSet"

// ContractEventName returns the user-defined event name.
func (RegistryUrlSet) ContractEventName() string {
	return RegistryUrlSetEventName
}

// UnpackUrlSetEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event UrlSet(uint32 indexed id, string url)
func (registry *Registry) UnpackUrlSetEvent(log *types.Log) (*RegistryUrlSet, error) {
	event := "UrlSet"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryUrlSet)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RegistryWithdrawn represents a Withdrawn event raised by the Registry contract.
type RegistryWithdrawn struct {
	Id     uint32
	To     common.Address
	Amount *big.Int
	Raw    *types.Log // Blockchain specific contextual infos
}

const RegistryWithdrawnEventName = "Withdrawn"

// ContractEventName returns the user-defined event name.
func (RegistryWithdrawn) ContractEventName() string {
	return RegistryWithdrawnEventName
}

// UnpackWithdrawnEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Withdrawn(uint32 indexed id, address indexed to, uint96 amount)
func (registry *Registry) UnpackWithdrawnEvent(log *types.Log) (*RegistryWithdrawn, error) {
	event := "Withdrawn"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryWithdrawn)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// UnpackError attempts to decode the provided error data using user-defined
// error definitions.
func (registry *Registry) UnpackError(raw []byte) (any, error) {
	if bytes.Equal(raw[:4], registry.abi.Errors["BadLength"].ID.Bytes()[:4]) {
		return registry.UnpackBadLengthError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["DepositTooLarge"].ID.Bytes()[:4]) {
		return registry.UnpackDepositTooLargeError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["DepositTooSmall"].ID.Bytes()[:4]) {
		return registry.UnpackDepositTooSmallError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["Locked"].ID.Bytes()[:4]) {
		return registry.UnpackLockedError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["Missing"].ID.Bytes()[:4]) {
		return registry.UnpackMissingError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["NoSuchRecord"].ID.Bytes()[:4]) {
		return registry.UnpackNoSuchRecordError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["NotAllowed"].ID.Bytes()[:4]) {
		return registry.UnpackNotAllowedError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["NotAscending"].ID.Bytes()[:4]) {
		return registry.UnpackNotAscendingError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["NotOffered"].ID.Bytes()[:4]) {
		return registry.UnpackNotOfferedError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["NotOwner"].ID.Bytes()[:4]) {
		return registry.UnpackNotOwnerError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["PaymentRefused"].ID.Bytes()[:4]) {
		return registry.UnpackPaymentRefusedError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["RewardsTooSoon"].ID.Bytes()[:4]) {
		return registry.UnpackRewardsTooSoonError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["WrongStatus"].ID.Bytes()[:4]) {
		return registry.UnpackWrongStatusError(raw[4:])
	}
	return nil, errors.New("unknown error")
}

// RegistryBadLength represents a BadLength error raised by the Registry contract.
type RegistryBadLength struct {
	Field  string
	Length *big.Int
	Least  *big.Int
	Most   *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadLength(string field, uint256 length, uint256 least, uint256 most)
func RegistryBadLengthErrorID() common.Hash {
	return common.HexToHash("0xd3798aadc49cd1165902f41b4eda550945662f6d2b221b240aa9aee68dceacc5")
}

// UnpackBadLengthError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadLength(string field, uint256 length, uint256 least, uint256 most)
func (registry *Registry) UnpackBadLengthError(raw []byte) (*RegistryBadLength, error) {
	out := new(RegistryBadLength)
	if err := registry.abi.UnpackIntoInterface(out, "BadLength", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryDepositTooLarge represents a DepositTooLarge error raised by the Registry contract.
type RegistryDepositTooLarge struct {
	Total *big.Int
	Most  *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error DepositTooLarge(uint256 total, uint256 most)
func RegistryDepositTooLargeErrorID() common.Hash {
	return common.HexToHash("0xf7b6567073c009de79258eba099fe6b4c9ee58367c789ca852cde5fe6172fc4c")
}

// UnpackDepositTooLargeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error DepositTooLarge(uint256 total, uint256 most)
func (registry *Registry) UnpackDepositTooLargeError(raw []byte) (*RegistryDepositTooLarge, error) {
	out := new(RegistryDepositTooLarge)
	if err := registry.abi.UnpackIntoInterface(out, "DepositTooLarge", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryDepositTooSmall represents a DepositTooSmall error raised by the Registry contract.
type RegistryDepositTooSmall struct {
	Sent  *big.Int
	Least *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error DepositTooSmall(uint256 sent, uint256 least)
func RegistryDepositTooSmallErrorID() common.Hash {
	return common.HexToHash("0x4a77f2fa62296c5cc216025004b03ed11b511d575baed7939c8b78bbe939738d")
}

// UnpackDepositTooSmallError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error DepositTooSmall(uint256 sent, uint256 least)
func (registry *Registry) UnpackDepositTooSmallError(raw []byte) (*RegistryDepositTooSmall, error) {
	out := new(RegistryDepositTooSmall)
	if err := registry.abi.UnpackIntoInterface(out, "DepositTooSmall", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryLocked represents a Locked error raised by the Registry contract.
type RegistryLocked struct {
	Id       uint32
	UnlockAt uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error Locked(uint32 id, uint64 unlockAt)
func RegistryLockedErrorID() common.Hash {
	return common.HexToHash("0xa67d9aaad4db0c01c61ee1f2c17561d7b296157536012ed3c03574a0912fb831")
}

// UnpackLockedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error Locked(uint32 id, uint64 unlockAt)
func (registry *Registry) UnpackLockedError(raw []byte) (*RegistryLocked, error) {
	out := new(RegistryLocked)
	if err := registry.abi.UnpackIntoInterface(out, "Locked", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryMissing represents a Missing error raised by the Registry contract.
type RegistryMissing struct {
	Field string
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error Missing(string field)
func RegistryMissingErrorID() common.Hash {
	return common.HexToHash("0x70c1f071340b14e7b90cb6a3dbb9483077b8febd0d3e1ee6d62ff79e81f37fb8")
}

// UnpackMissingError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error Missing(string field)
func (registry *Registry) UnpackMissingError(raw []byte) (*RegistryMissing, error) {
	out := new(RegistryMissing)
	if err := registry.abi.UnpackIntoInterface(out, "Missing", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryNoSuchRecord represents a NoSuchRecord error raised by the Registry contract.
type RegistryNoSuchRecord struct {
	Id uint32
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NoSuchRecord(uint32 id)
func RegistryNoSuchRecordErrorID() common.Hash {
	return common.HexToHash("0x79e616bb494ff418e56ce3ee166a766e2ff63e46de1017f3e2db0ea0dd5ea9b2")
}

// UnpackNoSuchRecordError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NoSuchRecord(uint32 id)
func (registry *Registry) UnpackNoSuchRecordError(raw []byte) (*RegistryNoSuchRecord, error) {
	out := new(RegistryNoSuchRecord)
	if err := registry.abi.UnpackIntoInterface(out, "NoSuchRecord", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryNotAllowed represents a NotAllowed error raised by the Registry contract.
type RegistryNotAllowed struct {
	Id       uint32
	Owner    common.Address
	Delegate common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotAllowed(uint32 id, address owner, address delegate)
func RegistryNotAllowedErrorID() common.Hash {
	return common.HexToHash("0x491887476d34b9a2a36b8fdb7ddda2ca769de4259ac2f01ea46433bcfe2ac8f9")
}

// UnpackNotAllowedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotAllowed(uint32 id, address owner, address delegate)
func (registry *Registry) UnpackNotAllowedError(raw []byte) (*RegistryNotAllowed, error) {
	out := new(RegistryNotAllowed)
	if err := registry.abi.UnpackIntoInterface(out, "NotAllowed", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryNotAscending represents a NotAscending error raised by the Registry contract.
type RegistryNotAscending struct {
	Field    string
	Position *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotAscending(string field, uint256 position)
func RegistryNotAscendingErrorID() common.Hash {
	return common.HexToHash("0x4b4001270519cd84b96a7497df8dc076ecd8359aa2efc8bd39e7346681102311")
}

// UnpackNotAscendingError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotAscending(string field, uint256 position)
func (registry *Registry) UnpackNotAscendingError(raw []byte) (*RegistryNotAscending, error) {
	out := new(RegistryNotAscending)
	if err := registry.abi.UnpackIntoInterface(out, "NotAscending", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryNotOffered represents a NotOffered error raised by the Registry contract.
type RegistryNotOffered struct {
	Id uint32
	To common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotOffered(uint32 id, address to)
func RegistryNotOfferedErrorID() common.Hash {
	return common.HexToHash("0xfec0a5a92859691c7a51de7f06ab391ca5a1b3cbd8534fc12a3af716fcad38d9")
}

// UnpackNotOfferedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotOffered(uint32 id, address to)
func (registry *Registry) UnpackNotOfferedError(raw []byte) (*RegistryNotOffered, error) {
	out := new(RegistryNotOffered)
	if err := registry.abi.UnpackIntoInterface(out, "NotOffered", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryNotOwner represents a NotOwner error raised by the Registry contract.
type RegistryNotOwner struct {
	Id    uint32
	Owner common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotOwner(uint32 id, address owner)
func RegistryNotOwnerErrorID() common.Hash {
	return common.HexToHash("0xc3e07bd6343a3da42632738a2fdb3e34ff9824e24d0058c95f5b7256483d215d")
}

// UnpackNotOwnerError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotOwner(uint32 id, address owner)
func (registry *Registry) UnpackNotOwnerError(raw []byte) (*RegistryNotOwner, error) {
	out := new(RegistryNotOwner)
	if err := registry.abi.UnpackIntoInterface(out, "NotOwner", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryPaymentRefused represents a PaymentRefused error raised by the Registry contract.
type RegistryPaymentRefused struct {
	Id     uint32
	To     common.Address
	Amount *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error PaymentRefused(uint32 id, address to, uint256 amount)
func RegistryPaymentRefusedErrorID() common.Hash {
	return common.HexToHash("0x69a005fc903892693cfb6f48b536576e4ae25c7d5b3d50ad7931659a2b607342")
}

// UnpackPaymentRefusedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error PaymentRefused(uint32 id, address to, uint256 amount)
func (registry *Registry) UnpackPaymentRefusedError(raw []byte) (*RegistryPaymentRefused, error) {
	out := new(RegistryPaymentRefused)
	if err := registry.abi.UnpackIntoInterface(out, "PaymentRefused", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryRewardsTooSoon represents a RewardsTooSoon error raised by the Registry contract.
type RegistryRewardsTooSoon struct {
	Earliest uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error RewardsTooSoon(uint64 earliest)
func RegistryRewardsTooSoonErrorID() common.Hash {
	return common.HexToHash("0x05918dcac4d7223fa463ef67064618ea8568360c38c5b9fb7ee9f0f88d22daaa")
}

// UnpackRewardsTooSoonError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error RewardsTooSoon(uint64 earliest)
func (registry *Registry) UnpackRewardsTooSoonError(raw []byte) (*RegistryRewardsTooSoon, error) {
	out := new(RegistryRewardsTooSoon)
	if err := registry.abi.UnpackIntoInterface(out, "RewardsTooSoon", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryWrongStatus represents a WrongStatus error raised by the Registry contract.
type RegistryWrongStatus struct {
	Id     uint32
	Status uint8
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongStatus(uint32 id, uint8 status)
func RegistryWrongStatusErrorID() common.Hash {
	return common.HexToHash("0xc5b2d764bc1584b455613514e174b04532c294bad41c1e7c5f9fe5c36768a41a")
}

// UnpackWrongStatusError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongStatus(uint32 id, uint8 status)
func (registry *Registry) UnpackWrongStatusError(raw []byte) (*RegistryWrongStatus, error) {
	out := new(RegistryWrongStatus)
	if err := registry.abi.UnpackIntoInterface(out, "WrongStatus", raw); err != nil {
		return nil, err
	}
	return out, nil
}
